# edgeemo with TensorFlow: trains, exports, verifies. For amd64 and arm64.
#
#   docker build -f docker/workstation.Dockerfile -t edgeemo .
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" edgeemo train --data faces --out models/mine

ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml setup.py MANIFEST.in README.md LICENSE constraints.txt ./
COPY models/happy-sad models/happy-sad
COPY models/emotions models/emotions
COPY models/weights models/weights
COPY edgeemo edgeemo
RUN python -m venv /opt/edgeemo \
    && /opt/edgeemo/bin/pip install --no-cache-dir --constraint constraints.txt '.[train,faces,tensorboard]'

FROM python:${PYTHON}-slim-bookworm
RUN useradd --create-home --uid 1000 edgeemo \
    && mkdir /work \
    && chown edgeemo: /work
COPY --from=build /opt/edgeemo /opt/edgeemo
ENV PATH=/opt/edgeemo/bin:$PATH \
    HOME=/home/edgeemo \
    TF_CPP_MIN_LOG_LEVEL=2
USER 1000
WORKDIR /work
ENTRYPOINT ["edgeemo"]
CMD ["--help"]
