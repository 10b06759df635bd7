# The service and its bot, without torch; docs/hosting.md says how they are run.
#
#     docker build --tag penult .

FROM python:3.13-slim AS build
ARG EXTRAS=serve,bot,fast,heif
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN python -m venv /opt/penult \
 && /opt/penult/bin/pip install --no-cache-dir --disable-pip-version-check \
      --constraint constraints.txt ".[${EXTRAS}]" \
 && /opt/penult/bin/pip uninstall --yes pip

FROM python:3.13-slim
COPY --from=build /opt/penult /opt/penult
RUN useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin penult \
 && install --directory --owner penult --group penult /data /labels
# All else is read only: compiled networks and what libraries keep go to /tmp, in memory.
ENV PATH=/opt/penult/bin:$PATH \
    HOME=/tmp \
    PENULT_CACHE=/tmp/penult \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /labels
EXPOSE 8000
STOPSIGNAL SIGTERM
# There is no curl in the image, nor need there be.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["penult"]
CMD ["--help"]
