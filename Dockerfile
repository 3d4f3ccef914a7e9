# mailrouter as one image: built from the wheel and the lock, run by a user without rights on a read-only root.
#
#   docker build -t mailrouter .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v mailrouter:/data -p 25:8025 mailrouter
#
# Settings: the environment, or a file mounted and named by MAILROUTER_CONFIG. Commands: docker exec -it ... mailrouter ...

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /build && /build/bin/pip install --no-cache-dir --require-hashes -r requirements-build.lock
RUN python -m venv /opt/mailrouter && /opt/mailrouter/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY mailrouter mailrouter
COPY migrations migrations
RUN /build/bin/python -m hatchling build -t wheel && /opt/mailrouter/bin/pip install --no-cache-dir --no-deps dist/*.whl

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends gnupg && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin mailrouter \
    && install -d -o mailrouter -g mailrouter -m 0700 /data
COPY --from=build /opt/mailrouter /opt/mailrouter
ENV PATH=/opt/mailrouter/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    MAILROUTER_DATA_DIR=/data \
    MAILROUTER_SMTP__LISTEN=0.0.0.0:8025 \
    MAILROUTER_LMTP__LISTEN=0.0.0.0:8024 \
    MAILROUTER_LOG__FORMAT=json
USER mailrouter
WORKDIR /data
VOLUME /data
EXPOSE 8025 8024
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=30s --start-period=30s CMD ["mailrouter", "doctor"]
CMD ["sh", "-c", "mailrouter db upgrade && exec mailrouter serve"]
