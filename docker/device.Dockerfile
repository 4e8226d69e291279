# edgeemo without TensorFlow: predicts and measures, also on a Raspberry Pi. For amd64 and arm64.
#
#   docker buildx build --platform linux/arm64,linux/amd64 -f docker/device.Dockerfile -t edgeemo-device .
#   docker run --rm -v "$PWD:/work:ro" edgeemo-device predict photo.jpg

ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE constraints.txt ./
COPY models/happy-sad models/happy-sad
COPY models/emotions models/emotions
COPY models/weights models/weights
COPY edgeemo edgeemo
RUN python -m venv /opt/edgeemo \
    && /opt/edgeemo/bin/pip install --no-cache-dir --constraint constraints.txt '.[onnx]'

FROM python:${PYTHON}-slim-bookworm
RUN useradd --create-home --uid 1000 edgeemo
COPY --from=build /opt/edgeemo /opt/edgeemo
ENV PATH=/opt/edgeemo/bin:$PATH
USER 1000
WORKDIR /work
ENTRYPOINT ["edgeemo"]
CMD ["--help"]
