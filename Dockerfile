FROM node:24-slim

# The image contains no Redis: REDIS_URL must name one.
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data
# The messages of a locked gateway show this command.
ENV KEYS_COMMAND="docker exec CONTAINER node src/cli/keys.ts"

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

# Every ROLE serves this route, including worker.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]

# A larger young generation of the heap would only hold garbage of large bodies, about 100 MB.
CMD ["node", "--max-semi-space-size=16", "src/main.ts"]
