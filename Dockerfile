# syntax=docker/dockerfile:1
# The webhook and nothing else: one static program on an empty image.
FROM rust:1.95-alpine AS build
# ring is partly C
RUN apk add --no-cache musl-dev
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin steadyset && cp target/release/steadyset /steadyset

FROM scratch
COPY --from=build /steadyset /steadyset
# as the chart runs it; a number, so that the kubelet can tell that it is not root
USER 65532:65532
EXPOSE 8443 8080
ENTRYPOINT ["/steadyset"]
