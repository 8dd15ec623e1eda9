FROM node:24-slim

# The image holds no Redis: REDIS_URL must name one.
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
# As the messages of a locked gateway name it. The files of the image are never written to.
ENV KEYS_COMMAND="docker exec CONTAINER node src/accounts/cli.ts"

WORKDIR /app
COPY .npmrc package.json package-lock.json ./
RUN npm ci --omit=dev && npm cache clean --force
COPY LICENSE ./
COPY providers ./providers
COPY src ./src

RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000

# Every ROLE answers here, the worker too.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

# A larger young generation of the heap would only hold garbage of large bodies, a hundred megabytes of it.
CMD ["node", "--max-semi-space-size=16", "src/main.ts"]
