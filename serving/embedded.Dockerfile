# The embedded server as an image: `docker build -f serving/embedded.Dockerfile .` from the root.
# BASE is any image with Python 3.11 to 3.13 and venv, such as a mirror's copy of this one.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS builder
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python3 -m venv /opt/neumo
COPY requirements requirements
RUN /opt/neumo/bin/pip install --require-hashes -r requirements/serving.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY client/neumo client/neumo
COPY serving/models serving/models
COPY serving/neumo_serving serving/neumo_serving
COPY training/neumo_training training/neumo_training
COPY k8s/neumo_k8s k8s/neumo_k8s
COPY serving/wheel.sh serving/prune.sh ./
RUN sh wheel.sh /opt/neumo && sh prune.sh /opt/neumo

FROM ${BASE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="neumo serve" \
      org.opencontainers.image.description="TensorFlow Serving's API in Python, with neumo's release. A research tool, not a medical device." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=builder /opt/neumo /opt/neumo
# Nothing is written outside /tmp, so the root may be read-only.
ENV PATH=/opt/neumo/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8500 8501
# The ports open when the models have loaded. With another --port: docker run --health-cmd.
HEALTHCHECK --interval=10s --timeout=3s --start-period=120s \
  CMD ["python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 8500), 2)"]
ENTRYPOINT ["neumo", "serve"]
