"""What integrations say of themselves, in the database: the lines of their logs, and how each resync goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, Connection, delete, select, tuple_
from sqlalchemy.dialects.sqlite import insert

from portsync.emulator.instants import parse_date_time
from portsync.emulator.tables import LOGS, RESYNCS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

KEPT_LOGS = 10_000
"""So many lines of each integration are kept, the newest."""
KEPT_RESYNCS = 50
"""So many resyncs of each integration are kept, the newest, as in Port."""
_LOG = "log_"


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines are asked for."""

    levels: Collection[str] = ()
    """All where it is empty."""
    event: str | None = None
    """The id of a resync or of a part of one."""
    timestamp: str | None = None
    """A line's date-time, from which the answer goes on."""
    log_id: str | None = None
    """Among the lines of this very moment, the one from which it goes on."""
    is_upwards: bool = False
    """To newer lines, not to older ones."""


class TelemetryStore:
    """The telemetry, as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_logs(self, installation_id: str, lines: Sequence[Mapping[str, Any]]) -> None:
        """Keep these lines, and forget the oldest beyond the bound."""
        if not lines:
            return
        self._connection.execute(insert(LOGS), [_row(installation_id, line) for line in lines])
        of_it = LOGS.c.installation_id == installation_id
        last = select(LOGS.c.number).where(of_it).order_by(LOGS.c.number.desc()).offset(KEPT_LOGS).limit(1)
        self._connection.execute(delete(LOGS).where(of_it, LOGS.c.number <= last.scalar_subquery()))

    def logs(self, installation_id: str, which: LogFilter, limit: int) -> list[dict[str, Any]]:
        """The lines nearest to where the filter begins, newest first."""
        conditions: list[ColumnElement[bool]] = [LOGS.c.installation_id == installation_id]
        if which.levels:
            conditions.append(LOGS.c.level.in_(list(which.levels)))
        if which.event is not None:
            conditions.append((LOGS.c.event == which.event) | (LOGS.c.resync == which.event))
        place = tuple_(LOGS.c.at, LOGS.c.number)
        if which.timestamp is not None:
            # Without a line's id its whole moment is passed over, in either direction.
            number = _number(which.log_id) if which.log_id else (2**62 if which.is_upwards else 0)
            mark = tuple_(_moment(which.timestamp), number)
            conditions.append(place > mark if which.is_upwards else place < mark)
        order = (LOGS.c.at, LOGS.c.number) if which.is_upwards else (LOGS.c.at.desc(), LOGS.c.number.desc())
        rows = self._connection.execute(select(LOGS).where(*conditions).order_by(*order).limit(limit)).all()
        found = [{"_id": f"{_LOG}{row.number}", **orjson.loads(row.body)} for row in rows]
        return found[::-1] if which.is_upwards else found

    def note_kind(self, installation_id: str, event: str, metrics: Mapping[str, Any], at: str) -> None:
        """Keep how a kind goes in a resync, in place of what was known of it."""
        before = self.resync(installation_id, event)
        kinds = {**(before or {}).get("kinds", {}), metrics["kindIdentifier"]: metrics}
        self._save(installation_id, event, {**_begun(event, at), **(before or {}), "kinds": kinds, "updatedAt": at})

    def note_heartbeat(self, installation_id: str, event: str, at: str) -> None:
        """Keep that a resync was alive at this moment."""
        before = self.resync(installation_id, event) or _begun(event, at)
        self._save(installation_id, event, {**before, "heartbeatAt": at})

    def resync(self, installation_id: str, event: str) -> dict[str, Any] | None:
        """What is known of one resync, or None."""
        is_it = (RESYNCS.c.installation_id == installation_id) & (RESYNCS.c.event == event)
        text = self._connection.execute(select(RESYNCS.c.body).where(is_it)).scalar_one_or_none()
        return None if text is None else dict(orjson.loads(text))

    def resyncs(self, installation_id: str) -> list[dict[str, Any]]:
        """What is known of each, the one that began last first."""
        of_it = RESYNCS.c.installation_id == installation_id
        rows = self._connection.execute(select(RESYNCS.c.body).where(of_it).order_by(RESYNCS.c.number.desc()))
        return [orjson.loads(row.body) for row in rows]

    def _save(self, installation_id: str, event: str, body: Mapping[str, Any]) -> None:
        row = {"installation_id": installation_id, "event": event, "body": orjson.dumps(dict(body)).decode()}
        statement = insert(RESYNCS).values(row)
        self._connection.execute(statement.on_conflict_do_update(index_elements=["installation_id", "event"], set_=row))
        of_it = RESYNCS.c.installation_id == installation_id
        newest = select(RESYNCS.c.number).where(of_it).order_by(RESYNCS.c.number.desc()).limit(KEPT_RESYNCS)
        self._connection.execute(delete(RESYNCS).where(of_it, RESYNCS.c.number.not_in(newest)))


def _begun(event: str, at: str) -> dict[str, Any]:
    return {"eventId": event, "startedAt": at, "updatedAt": at, "heartbeatAt": None, "kinds": {}}


def _row(installation_id: str, line: Mapping[str, Any]) -> dict[str, Any]:
    extra = line.get("extra", {})
    return {
        "installation_id": installation_id,
        "at": _moment(line["timestamp"]),
        "level": line["level"].upper(),
        # Ocean's names of an event and of the resync that it is a part of.
        "event": _text(extra.get("event_id", line.get("eventId"))),
        "resync": _text(extra.get("event_parent_id")),
        "body": orjson.dumps(dict(line)).decode(),
    }


def _moment(text: str) -> str:
    """A date-time that a schema has checked, in UTC and of fixed width: its order as text is its order in time."""
    moment = parse_date_time(text)
    return text if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def _number(log_id: str) -> int:
    digits = log_id.removeprefix(_LOG)
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < len(str(2**62)) else 0


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
