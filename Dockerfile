FROM python:3.13-slim-trixie AS base

FROM base AS build
WORKDIR /build
# One environment builds, the other one is shipped: the image holds neither pip's cache nor the build backend.
COPY requirements/run.lock requirements/image.lock requirements/cluster.lock requirements/
# `--build-arg LOCK=cluster` adds what the workers of a Dask cluster need, some 40 MB.
ARG LOCK=image
RUN python -m venv /build/tools \
    && python -m venv --without-pip /opt/portsync \
    && tools/bin/pip install --no-cache-dir --require-hashes -r requirements/run.lock \
    && tools/bin/pip --python /opt/portsync/bin/python install --no-cache-dir --require-hashes -r "requirements/${LOCK}.lock"
# After the dependencies, so that a change of the code does not install them anew.
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY mappings mappings
COPY blueprints blueprints
COPY dashboards dashboards
# The lock holds the build backend too: nothing unlocked is fetched here.
RUN tools/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
    && tools/bin/pip --python /opt/portsync/bin/python install --no-cache-dir --no-deps --no-index dist/*.whl

FROM base
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="portsync" \
      org.opencontainers.image.description="Brings data from any REST API into a Port software catalog, from one YAML file" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The group 0 may write too, for clusters that give each namespace a user id of its own.
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin portsync \
    && install --directory --owner 10001 --group 0 --mode 0770 /home/portsync/state
COPY --from=build /opt/portsync /opt/portsync
# The state, dead letters and refresh tokens: mount a volume there to keep them from run to run. What is written for a
# moment, such as what SQLite sorts, goes there too, so that the root may be read-only.
ENV PATH=/opt/portsync/bin:$PATH \
    HOME=/home/portsync \
    XDG_STATE_HOME=/home/portsync/state \
    TMPDIR=/home/portsync/state \
    PORTSYNC_MAPPING=/etc/portsync/mapping.yaml \
    PORTSYNC_LISTEN=0.0.0.0:8000
VOLUME /home/portsync/state
EXPOSE 8000
# By number: Kubernetes' runAsNonRoot cannot judge a name.
USER 10001
WORKDIR /home/portsync
# A single run listens nowhere: `docker run --no-healthcheck` for one that takes longer than two minutes.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-Ic", "import http.client as h, os; c = h.HTTPConnection('127.0.0.1', int(os.environ['PORTSYNC_LISTEN'].rsplit(':', 1)[1]), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
# No init in between: portsync handles its signals and waits for its children itself.
ENTRYPOINT ["portsync"]
CMD ["serve"]
