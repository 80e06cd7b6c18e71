# The web gateway as an image: `docker build -f serving/gateway.Dockerfile .` from the root.
# BASE is any image with Python 3.11 to 3.13 and venv, such as a mirror's copy of this one.
ARG BASE=python:3.12-slim-bookworm

FROM ${BASE} AS builder
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python3 -m venv /opt/neumo
COPY requirements requirements
RUN /opt/neumo/bin/pip install --require-hashes -r requirements/web.lock
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
LABEL org.opencontainers.image.title="neumo web" \
      org.opencontainers.image.description="neumo's web page and JSON API. A research tool, not a medical device." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=builder /opt/neumo /opt/neumo
# Nothing is written, so the root may be read-only.
ENV PATH=/opt/neumo/bin:$PATH HOME=/tmp PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["neumo", "web"]
CMD ["--host=0.0.0.0"]
