"""The `live:` section of a resource: which webhooks say at once what the next sync would find out."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from portsync.auth.secret import Secret
from portsync.jq.expression import Expression
from portsync.mapping.section import Section

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_TOLERANCE = re.compile(r"(?P<count>[1-9]\d{0,5})(?P<unit>[smh])")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _hook_name(text: str) -> str:
    if _NAME.fullmatch(text) is None:
        hint = "letters, digits and . _ - are possible, 100 at most; it is the end of the path /hooks/NAME"
        raise PydanticCustomError("hook", "`{text}` cannot be the name of a hook", {"text": text, "hint": hint})
    return text


def _header_name(text: str) -> str:
    if _HEADER.fullmatch(text) is None:
        raise PydanticCustomError("header", "`{text}` cannot be the name of a header", {"text": text})
    return text.lower()


def _tolerance(value: Any) -> str:
    text = str(value)
    if _TOLERANCE.fullmatch(text) is None:
        raise PydanticCustomError("span", "`{text}` is no span of time", {"text": text, "hint": "write `30s` or `5m`"})
    return text


def _none_or_section(value: Any) -> Any:
    if value is None:
        hint = "say how the sender signs; `signature: none` lets everybody in who can reach the service"
        raise PydanticCustomError("signature", "a signature is wanted", {"hint": hint})
    return None if value == "none" else value


def _with_none(schema: dict[str, Any]) -> None:
    """Let the schema say `none` where the type says None."""
    schema["anyOf"] = [arm for arm in schema["anyOf"] if arm.get("type") != "null"] + [{"const": "none"}]


HookName = Annotated[str, AfterValidator(_hook_name), WithJsonSchema({"type": "string", "pattern": _NAME.pattern})]
HeaderName = Annotated[str, AfterValidator(_header_name)]
Tolerance = Annotated[
    str, BeforeValidator(_tolerance), WithJsonSchema({"type": "string", "pattern": r"^[1-9]\d*(s|m|h)$"})
]


class Signature(Section):
    """How a sender proves that a webhook is from him, and that nobody changed it."""

    header: HeaderName
    """The header that holds the signature."""
    secret: Secret
    """What the sender and portsync both know: `"${GITHUB_WEBHOOK_SECRET}"`."""
    algorithm: Literal["sha256", "sha1", "plain"] = "sha256"
    """HMAC with this hash over the body; `plain`: the header is the secret itself."""
    prefix: str = ""
    """What stands before the signature in the header, such as `sha256=`. Of several parts between commas, those with
    the prefix are signatures."""
    encoding: Literal["hex", "base64"] = "hex"
    """How the signature is written."""
    timestamp_header: HeaderName | None = None
    """The header with the time of sending, in seconds since 1970, where the sender signs it along."""
    timestamp_prefix: str = ""
    """What stands before the time in its header, such as Stripe's `t=`."""
    tolerance: Tolerance = "5m"
    """How far that time may be from now: `30s`, `5m`. An older webhook is a repetition."""
    signed: str | None = None
    """What is signed, with `{timestamp}` and `{body}`. Without it the body, or `{timestamp}.{body}` where there is a
    `timestamp_header`."""

    @model_validator(mode="after")
    def fits_together(self) -> Signature:
        if self.algorithm == "plain" and (self.signed is not None or self.timestamp_header is not None):
            message = "`signed` and `timestamp_header` have no meaning with `algorithm: plain`: nothing is signed"
            raise PydanticCustomError("signature", message)
        if self.signed is None:
            return self
        if self.signed.count("{body}") != 1:
            raise PydanticCustomError(
                "signature", "`signed` has to hold {body} once", {"hint": "v0:{timestamp}:{body}"}
            )
        if ("{timestamp}" in self.signed) != (self.timestamp_header is not None):
            raise PydanticCustomError("signature", "`timestamp_header` and the {timestamp} of `signed` go together")
        return self

    @property
    def template(self) -> tuple[str, str]:
        """What is signed before the body and after it; `{timestamp}` may stand in both."""
        default = "{body}" if self.timestamp_header is None else "{timestamp}.{body}"
        before, _, after = (self.signed or default).partition("{body}")
        return before, after

    @property
    def tolerance_s(self) -> float:
        found = _TOLERANCE.fullmatch(self.tolerance)
        assert found is not None, "it was checked when it was read"
        return float(found["count"]) * _SECONDS[found["unit"]]


class Live(Section):
    """Webhooks that change the entities of a resource at once. `portsync serve` takes them at `POST /hooks/NAME`."""

    hook: HookName
    """The NAME in the path `/hooks/NAME`. Several resources may have the same one."""
    signature: Annotated[Signature | None, BeforeValidator(_none_or_section), Field(json_schema_extra=_with_none)]
    """How the sender proves who he is; `none` lets in everybody who can reach the service."""
    filter: Expression = "true"
    """JQ over the webhook's body that gives true or false: whether it has to do with this resource."""
    record: Expression = "."
    """JQ from the webhook's body to the record, or records, that `selector.query` and the mappings see."""
    delete: Expression = "false"
    """JQ over the webhook's body that gives true or false: whether the entities are deleted instead of written."""
    id_header: HeaderName | None = None
    """The header with the id of a delivery. A webhook whose id came before is not taken again."""
