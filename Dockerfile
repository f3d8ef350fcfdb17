# One image for the API (`unefois serve`) and for the jobs (`unefois work`).
FROM python:3.13.14-slim@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app
COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --require-hashes -r requirements/run.txt

COPY pyproject.toml README.md ./
COPY base base
COPY storage storage
COPY audit audit
COPY auth auth
COPY vault vault
COPY web web
COPY migrations migrations
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . \
 && useradd --system --uid 10001 --home-dir /var/lib/unefois --create-home unefois

USER unefois
ENV UNEFOIS_HOME=/var/lib/unefois UNEFOIS_HOST=0.0.0.0 UNEFOIS_PORT=8000 UNEFOIS_MANAGEMENT_PORT=9000
VOLUME /var/lib/unefois
EXPOSE 8000
# On the management listener, which `serve` and `work` both have.
HEALTHCHECK --interval=30s --timeout=6s --start-period=30s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9000/healthz', timeout=5)"]

ENTRYPOINT ["unefois"]
CMD ["serve"]
