# hsdo in every role. The image holds no configuration: mount yours at /opt/hsdo/conf/env.yaml or set the environment.
#   docker run -v ./env.yaml:/opt/hsdo/conf/env.yaml:ro -v hsdo:/var/lib/hsdo hsdo --server
# The root file system may be read-only (docker run --read-only): only /var/lib/hsdo is written to.
# A client needs HAProxy's admin socket and, by --group-add, the group that may write to it.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /opt/hsdo
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json vite.config.ts ./
COPY src ./src
RUN npm run build
RUN npm prune --omit=dev --no-audit --no-fund

FROM ${NODE_IMAGE}
# For `docker exec ... hsdo status`, which asks the API: every role but an agent has one here.
ENV NODE_ENV=production STATE_DIRECTORY=/var/lib/hsdo API_LISTEN=127.0.0.1:8128
RUN groupadd --gid 10001 hsdo \
  && useradd --uid 10001 --gid hsdo --home-dir /var/lib/hsdo --shell /usr/sbin/nologin hsdo \
  && install --directory --owner=hsdo --group=hsdo --mode=0750 /var/lib/hsdo
# For checks of kind icmp; Debian gives it the one capability that it needs.
RUN apt-get update \
  && apt-get install --yes --no-install-recommends iputils-ping \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/hsdo
COPY --from=build /opt/hsdo/package.json ./
COPY --from=build /opt/hsdo/node_modules ./node_modules
COPY --from=build /opt/hsdo/dist ./dist
COPY haproxy.cfg.template ./
USER hsdo
VOLUME /var/lib/hsdo
EXPOSE 6789 8128
# The exporter answers /healthz in every role; an agent has one where its file says exporter: { listen: 127.0.0.1:6789 }.
# It needs no token there, and under exporter.tls, which is tried when plain HTTP fails, no certificate.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 CMD ["node", "-e", "const signal = AbortSignal.timeout(2500); const ask = (by, otherwise) => require(by).get({ host: '127.0.0.1', port: process.env.EXPORTER_PORT || 6789, path: '/healthz', rejectUnauthorized: false, signal }, (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', otherwise); ask('http', () => ask('https', () => process.exit(1)))"]
# A clean stop hands the lease back, which takes no more than a few seconds; docker stop waits for ten.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/main.js"]
