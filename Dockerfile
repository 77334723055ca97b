# Three stages: web parts with Node, the locked Python environment with uv, and a small image that has neither.
FROM node:24-bookworm-slim AS web
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/ scripts/
COPY mes/ mes/
RUN node scripts/build_web.mjs

FROM python:3.11-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /app
COPY .tools-requirements.txt ./
RUN python -m venv /uv && /uv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r .tools-requirements.txt
COPY pyproject.toml uv.lock hatch_build.py README.md LICENSE ./
RUN /uv/bin/uv sync --locked --no-dev --all-extras --no-install-project
COPY config/ config/
COPY simulators/ simulators/
COPY --from=web /src/mes/ mes/
RUN /uv/bin/uv sync --locked --no-dev --all-extras --no-editable

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 mes && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin mes \
    && install -d -o mes -g mes /data
COPY --from=build /app/.venv /app/.venv
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MES_DATA=/data NUMBA_CACHE_DIR=/tmp/numba
USER 10001:10001
WORKDIR /data
VOLUME /data
ENTRYPOINT ["mes"]
CMD ["run"]
