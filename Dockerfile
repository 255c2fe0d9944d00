FROM python:3.12-slim AS build
WORKDIR /build
COPY requirements/run.lock requirements/run.lock
RUN python -m venv /opt/portsync
RUN /opt/portsync/bin/pip install --no-cache-dir --require-hashes -r requirements/run.lock
# After the dependencies, so that a change of the code does not install them anew.
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY mappings mappings
COPY blueprints blueprints
COPY dashboards dashboards
# The lock holds the build backend too: nothing unlocked is fetched here.
RUN /opt/portsync/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist .
RUN /opt/portsync/bin/pip install --no-cache-dir --no-deps --no-index dist/*.whl

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin portsync
COPY --from=build /opt/portsync /opt/portsync
ENV PATH=/opt/portsync/bin:$PATH \
    PORTSYNC_MAPPING=/etc/portsync/mapping.yaml
# By number: Kubernetes' runAsNonRoot cannot judge a name.
USER 10001
WORKDIR /home/portsync
# The state, dead letters and refresh tokens: mount a volume here to keep them from run to run.
ENV XDG_STATE_HOME=/home/portsync/state
RUN mkdir -p /home/portsync/state
VOLUME /home/portsync/state
ENTRYPOINT ["portsync"]
CMD ["sync"]
