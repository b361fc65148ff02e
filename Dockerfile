# syntax=docker/dockerfile:1
# The webhook on an image with the C library and nothing else: no shell, no package manager.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin steadyset && cp target/release/steadyset /steadyset

# of the same Debian as above, so that the C library is not older
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /steadyset /steadyset
# as the chart runs it; a number, so that the kubelet can tell that it is not root
USER 65532:65532
EXPOSE 8443 8080
ENTRYPOINT ["/steadyset"]
