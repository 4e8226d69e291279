"""Every option of every command, from the command line to the function of the library.

Each line ends at the function that does the work: what arrives there is compared. What the function
makes of it is tested where the function is.
"""

from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import shellingham
import typer
from PIL import Image

import edgeemo.adopt
import edgeemo.bench
import edgeemo.bundle
import edgeemo.clients
import edgeemo.dataset
import edgeemo.dataset.check
import edgeemo.dataset.review
import edgeemo.dataset.write
import edgeemo.diagnose
import edgeemo.evaluate
import edgeemo.evaluate.evaluation
import edgeemo.export
import edgeemo.live.capture
import edgeemo.live.live
import edgeemo.runtime.stream
import edgeemo.serve.server
import edgeemo.train
import edgeemo.tune
import edgeemo.verify
from edgeemo.cli.app import app
from edgeemo.dataset import draw_faces
from edgeemo.errors import EdgeEmoError
from edgeemo.model import signature, signing
from edgeemo.model.container import unseal
from edgeemo.train import training
from edgeemo.utils import child
from edgeemo.utils.files import sha256_file
from edgeemo.utils.serialize import to_plain

from ..bench.conftest import report, result

GOLDEN = Path(__file__).resolve().parents[1] / "golden"

LIBRARY = [
    (training, "train"),
    (training, "resume"),
    (edgeemo.train, "import_keras_model"),
    (edgeemo.tune, "tune"),
    (edgeemo.export, "export"),
    (edgeemo.adopt, "adopt"),
    (edgeemo.clients, "export_clients"),
    (edgeemo.verify, "verify"),
    (edgeemo.diagnose, "diagnose"),
    (edgeemo.runtime.stream, "predict_images"),
    (edgeemo.live.live, "run_live"),
    (edgeemo.live.capture, "run_capture"),
    (edgeemo.serve.server, "serve"),
    (edgeemo.evaluate, "evaluate"),
    (edgeemo.evaluate, "compare"),
    (edgeemo.bench, "run_benchmark"),
    (edgeemo.bench, "select_candidate"),
    (edgeemo.bundle, "make_bundle"),
    (edgeemo.bundle, "make_wheel_folder"),
    (signing, "read_private_key"),
    (signature, "verify_file"),
    (edgeemo.dataset, "draw_faces"),
    (edgeemo.dataset.check, "check_files"),
    (edgeemo.dataset.review, "serve_review"),
    (edgeemo.dataset.write, "write_clean"),
    (edgeemo.dataset.write, "write_split"),
    (edgeemo.dataset.write, "write_crops"),
]
"""The functions that do the work of the commands."""

ALWAYS = {"--json", "-q", "--quiet", "-v", "--verbose", "-h", "--help"}
"""Options of every command, whose tests are in `test_screens` and below."""

TRAIN = {
    "--out models/new": {"out": "models/new"},
    "--config options.toml": {"options.epochs": 7, "options.seed": 9},
    "--force": {"replace": True},
    "--mode plain": {"options.mode": "plain"},
    "--minutes 1.5": {"options.minutes": 1.5},
    "--recipe focal": {"options.recipe": "focal", "options.loss": "focal"},
    "--labels sad,happy": {"options.labels": ["sad", "happy"]},
    "--data more": {"data.0.path": "faces", "data.1.path": "more"},
    "--classes happy,sad": {"options.classes": ["happy", "sad"]},
    "--soft-labels votes.csv": {"options.soft_labels": "votes.csv"},
    "--accept webp,gif": {"options.accept": ["webp", "gif"]},
    "--review decided.csv": {"options.review": "decided.csv"},
    "--ratios 1/2,1/4,1/4": {"options.ratios": [0.5, 0.25, 0.25]},
    "--split random": {"options.split": "random"},
    "--arch cnn-bn-64": {"options.arch": "cnn-bn-64"},
    "--size 48": {"options.size": 48},
    "--channels 1": {"options.channels": 1},
    "--arch mobilenet-v2 --from imagenet": {"options.from_": "imagenet"},
    "--arch mobilenet-v2 --from imagenet --frozen-epochs 2": {"options.frozen_epochs": 2},
    "--epochs 3": {"options.epochs": 3},
    "--batch-size 8": {"options.batch_size": 8},
    "--seed 4": {"options.seed": 4},
    "--loss focal": {"options.loss": "focal"},
    "--class-weights": {"options.class_weights": True},
    "--no-class-weights": {"options.class_weights": False},
    "--optimizer sgd": {"options.optimizer": "sgd"},
    "--lr 1/100": {"options.lr": 0.01},
    "--schedule cosine": {"options.schedule": "cosine"},
    "--early-stopping 5": {"options.early_stopping": 5},
    "--workers 2": {"options.workers": 2},
    "--workers 2..8": {"options.workers": "2..8"},
    "--cluster node1:6379": {"options.cluster": "node1:6379"},
    "--gpu": {"options.gpu": True},
    "--max-failures 5": {"options.max_failures": 5},
    "--augment light": {"options.augment": "light"},
    "--label-smoothing 0.1": {"options.label_smoothing": 0.1},
    "--from happy-sad --int8-aware": {"options.int8_aware": True},
    "--ema 0.9": {"options.ema": 0.9},
    "--mixup 0.2": {"options.mixup": 0.2},
    "--teacher t.keras": {"options.teacher": ["t.keras"]},
    "--teacher t.keras --teacher-weight 0.3": {"options.teacher_weight": 0.3},
    "--teacher t.keras --teacher-temperature 3": {"options.teacher_temperature": 3},
    "--threshold 0.4": {"options.threshold": 0.4},
    "--target-accuracy 0.9": {"options.target_accuracy": 0.9},
    "--background neither": {"options.background": "neither"},
    "--metrics precision,auc": {"options.metrics": ["precision", "auc"]},
    "--tensorboard logs": {"options.tensorboard": "logs"},
    "--track mlflow:sqlite:///x.db": {"options.track": "mlflow:sqlite:///x.db"},
    "--save-keras mine.keras": {"options.save_keras": "mine.keras"},
    "--faces": {"options.faces": True},
    "--no-faces": {"options.faces": False},
    "--faces --cropped": {"options.cropped": True},
    "--faces --no-cropped": {"options.cropped": False},
    "--faces --face-detector cascade": {"options.face_detector": "cascade"},
    "--faces --face-margin 0.2": {"options.face_margin": 0.2},
    "--faces --face-score 0.8": {"options.face_score": 0.8},
    "--faces --face-model yunet.onnx": {"options.face_model": "yunet.onnx"},
}
TUNE = {
    "--config options.toml": {"base.epochs": 7},
    "--out models/new": {"job.out": "models/new"},
    "--force": {"replace": True},
    "--arch cnn-bn-64,cnn": {"space.arch": ["cnn-bn-64", "cnn"]},
    "--sizes 32,48": {"space.sizes": [32, 48]},
    "--filters 4,8": {"space.filters": [4, 8]},
    "--lr 0.001,0.01": {"space.lr": [0.001, 0.01]},
    "--augment none": {"space.augment": ["none"]},
    "--trials 5": {"goal.trials": 5},
    "--workers 4": {"placement.workers": 4},
    "--cluster auto": {"placement.cluster": "auto"},
    "--gpus 1/4": {"placement.gpus": 0.25},
    "--timeout 1.5": {"goal.timeout": 1.5},
    "--objective loss": {"goal.objective": "loss"},
    "--second size": {"goal.second": "size"},
    "--max-params 1000": {"goal.limits.max_params": 1000},
    "--max-mmacs 5": {"goal.limits.max_mmacs": 5},
    "--max-size-kb 100": {"goal.limits.max_size_kb": 100},
    "--name mine": {"job.name": "mine"},
    "--storage s.db": {"job.storage": "s.db"},
    "--take 3": {"take": 3},
    "--search-only": {"job.out": None},
    "--labels sad,happy": {"base.labels": ["sad", "happy"]},
    "--data more": {"job.data.0.path": "faces", "job.data.1.path": "more"},
    "--classes happy,sad": {"base.classes": ["happy", "sad"]},
    "--soft-labels votes.csv": {"base.soft_labels": "votes.csv"},
    "--accept webp": {"base.accept": ["webp"]},
    "--review decided.csv": {"base.review": "decided.csv"},
    "--channels 1": {"base.channels": 1},
    "--epochs 3": {"base.epochs": 3},
    "--batch-size 8": {"base.batch_size": 8},
    "--seed 4": {"base.seed": 4},
}
OWN = "own.keras --labels happy,sad --scale 1/255 --data faces"
EXPORT = {
    "models/mine --data faces": {"data": "faces", "folder.path": "models/mine"},
    "models/mine --force": {"replace": True},
    "models/mine --int8": {"options.int8": True},
    "models/mine --float16": {"options.float16": True},
    "models/mine --dynamic": {"options.dynamic": True},
    "models/mine --format onnx": {"options.formats": ["onnx"]},
    "models/mine --seed 3": {"options.seed": 3},
    "models/mine --int8 --calibration mse": {"options.calibration": "mse"},
    "models/mine --int8 --keep-float dense": {"options.keep_float": ["dense"]},
    "models/mine --int8 --auto": {"options.auto": True},
    "models/mine --int8 --auto --max-size-kb 9": {"options.max_size_kb": 9},
    OWN: {"options.labels": ["happy", "sad"], "options.scale": 1 / 255, "data": "faces"},
    f"{OWN} --offset -1": {"options.offset": -1},
    f"{OWN} --scale 1,1/2,1/4": {"options.scale": [1, 0.5, 0.25]},
    f"{OWN} --offset -1,-2,0": {"options.offset": [-1, -2, 0]},
    f"{OWN} --bgr": {"options.bgr": True},
    "own.keras --labels happy,sad --data faces --preprocess imagenet-caffe": {
        "options.scale": 1,
        "options.offset": [-103.939, -116.779, -123.68],
        "options.bgr": True,
    },
    f"{OWN} --head logit": {"options.head": "logit"},
    f"{OWN} --threshold 0.4": {"options.threshold": 0.4},
    f"{OWN} --background neither": {"options.background": "neither"},
    f"{OWN} --out models/new": {"out": "models/new"},
    "happy-sad --client": {"options.forms": ["general"]},
    "happy-sad --client frigate,mediapipe": {"options.forms": ["frigate", "mediapipe"]},
    "happy-sad --client --layout nchw": {"options.layout": "nchw"},
    "happy-sad --c-array": {"options.c_array": True, "options.forms": []},
}
ADOPT = {
    "--labels happy,sad": {"options.labels": ["happy", "sad"], "out": "models/int8"},
    "--labels votes.csv": {"options.labels": ["file,happy,sad", "happy-0000.jpg,2,1"]},
    "--scale 1/255,1/127,1": {"options.scale": [1 / 255, 1 / 127, 1]},
    "--scale 2 --offset -1": {"options.scale": [2], "options.offset": [-1]},
    "--layout nchw": {"options.layout": "nchw"},
    "--bgr": {"options.bgr": True},
    "--preprocess raw": {"options.scale": [1]},
    "--activation logit": {"options.activation": "logit"},
    "--threshold 0.4": {"options.threshold": 0.4},
    "--background sad": {"options.background": "sad"},
    "--data faces": {"data": "faces"},
    "--data faces --split all": {"choice.split": "all"},
    "--data faces --classes happy,sad": {"choice.classes": ["happy", "sad"]},
    "--data faces --rename joy=happy": {"choice.renamed": {"joy": "happy"}},
    "--name theirs": {"out": "models/theirs"},
    "--out new": {"out": "new"},
    "--force": {"replace": True},
}
VERIFY = {
    "models/mine --data faces": {"data": "faces", "folder.path": "models/mine"},
    "models/mine --float32-max-dp 0.001": {"gates.float32_max_dp": 0.001},
    "models/mine --float16-max-dp 0.01": {"gates.float16_max_dp": 0.01},
    "models/mine --max-flips 3": {"gates.max_flips": 3},
    "models/mine --html page.html": {"folder.path": "models/mine"},
}
DIAGNOSE = {
    "models/mine --data faces": {"data": "faces", "model": "models/mine"},
    "models/mine --html page.html": {"html": "page.html"},
    "models/mine --format onnx": {"format": "onnx"},
    "models/mine --file int8.tflite": {"file": "int8.tflite"},
    "models/mine --images 20": {"images": 20},
}
PREDICT = {
    "--threads 2": {"classifier.threads": 2},
    "--workers 3": {"workers": 3},
    "--faces": {"classifier.spec.faces.detector": "blaze"},
    "--no-faces": {"classifier.spec.faces": None},
    "--face-detector blaze": {"classifier.spec.faces.detector": "blaze"},
    "--face-margin 0.2": {"classifier.spec.faces.margin": 0.2},
    "--face-score 0.9": {"classifier.spec.faces.min_score": 0.9},
}
SERVE = {
    "--host 0.0.0.0 --token 0123456789abcdef": {"options.host": "0.0.0.0"},
    "--port 0": {"options.port": 0},
    "--token 0123456789abcdef": {"options.token": "0123456789abcdef"},
    "--token-file secret.txt": {"options.token_file": "secret.txt"},
    "--allowed-host a.org --allowed-host b.org": {"options.allowed_host": ["a.org", "b.org"]},
    "--root-path /camera": {"options.root_path": "/camera"},
    "--tls-cert a.pem --tls-key b.pem": {"options.tls_cert": "a.pem", "options.tls_key": "b.pem"},
    "--max-body 3": {"options.max_body": 3},
    "--workers 3": {"workers": 3},
    "--threads 2": {"options.threads": 2},
    "--model models/mine": {"options.model": "models/mine"},
    "--faces": {"options.faces": True},
    "--no-faces": {"options.faces": False},
    "--face-detector blaze": {"options.face_detector": "blaze"},
    "--face-margin 0.2": {"options.face_margin": 0.2},
    "--face-score 0.9": {"options.face_score": 0.9},
    "--face-model yunet.onnx": {"options.face_model": "yunet.onnx"},
    "--watch": {"live.watch": True},
    "--size 320x240": {"live.size": "320x240"},
    "--fps 5": {"live.fps": 5},
    "--config live.toml": {"live.steady": 0.5},
    "--steady 1": {"live.steady": 1},
    "--min-confidence 0.6": {"live.min_confidence": 0.6},
    "--max-fps 3": {"live.max_fps": 3},
    "--motion-gate": {"live.motion_gate": True},
    "--no-motion-gate": {"live.motion_gate": False},
    "--max-temp 70": {"live.max_temp": 70},
    "--collect kept": {"live.collect": "kept"},
    "--on-change ls": {"live.on_change": "ls"},
    "--webhook http://localhost/": {"live.webhook": "http://localhost/"},
    "--mqtt mqtt://localhost": {"live.mqtt": "mqtt://localhost"},
    "--name door": {"live.name": "door"},
    "--mask 0,0,9,9": {"live.mask": ["0,0,9,9"]},
    "--region 0,0,9,9": {"live.region": ["0,0,9,9"]},
    "--blur": {"live.blur": True},
    "--no-images": {"live.no_images": True},
}
EVALUATE = {
    "--data more": {"data": "more"},
    "--split all": {"options.choice.split": "all"},
    "--classes happy,sad": {"options.choice.classes": ["happy", "sad"]},
    "--rename joy=happy,grim=sad": {"options.choice.renamed": {"joy": "happy", "grim": "sad"}},
    "--slice folder": {"options.slice_by.table": None},
    "--slice t.csv:camera": {"options.slice_by": {"table": "t.csv", "column": "camera"}},
    "--exclude-trained": {"options.exclude_trained": True},
    "--html page.html": {"html": "page.html"},
    "--threads 2": {"model.threads": 2},
    "--workers 3": {"options.workers": 3},
    "--faces": {"model.spec.faces.detector": "blaze", "options.faces.enabled": True},
    "--no-faces": {"model.spec.faces": None, "options.faces.enabled": False},
    "--face-detector blaze": {"model.spec.faces.detector": "blaze"},
    "--face-margin 0.2": {"model.spec.faces.margin": 0.2},
    "--face-score 0.9": {"model.spec.faces.min_score": 0.9},
    "--keep kept --resume": {"options.keep": "kept", "options.resume": True},
    "--keep kept --again": {"options.keep": "kept", "options.again": True},
}
COMPARE = {
    "--data more": {"data": "more"},
    "--split all": {"options.choice.split": "all"},
    "--classes happy,sad": {"options.choice.classes": ["happy", "sad"]},
    "--rename joy=happy": {"options.choice.renamed": {"joy": "happy"}},
    "--exclude-trained": {"options.exclude_trained": True},
    "--html page.html": {"html": "page.html"},
    "--threads 2": {"models.0.threads": 2, "models.1.threads": 2},
    "--workers 3": {"options.workers": 3},
}
BENCH = {
    "--threads 1,2": {"threads": [1, 2]},
    "--image faces": {"image": "faces"},
    "--seconds 2": {"seconds": 2},
    "--faces": {"files.0.faces.detector": "blaze"},
    "--no-faces": {"files.0.faces": None},
    "--out kept": {"seconds": 30},
    "--compare pi.json": {"seconds": 30},
    "--from pi.json --pick": {"report.results.0.file": "int8.tflite"},
    "--from pi.json --pick --max-p99-ms 5": {"limits.max_p99_ms": 5},
    "--from pi.json --pick --max-size-kb 6": {"limits.max_size_kb": 6},
    "--from pi.json --pick --max-rss-mb 7": {"limits.max_rss_mb": 7},
}
BUNDLE = {
    "--file int8.tflite": {"model": "models/mine/int8.tflite"},
    "--fallback float32.onnx": {"options.fallback": "models/mine/float32.onnx"},
    "--out a.pyz": {"out": "a.pyz"},
    "--golden test": {"options.golden": "test"},
    "--golden test --data faces": {"options.data": "faces"},
    "--wheels cp311,cp313": {"tags": ["cp311", "cp313"]},
    "--force": {"replace": True},
    "--sign key.pem": {"path": "key.pem"},
    "--faces": {"options.faces.enabled": True},
    "--no-faces": {"options.faces.enabled": False},
    "--face-detector cascade": {"options.faces.detector": "cascade"},
    "--face-margin 0.2": {"options.faces.margin": 0.2},
    "--face-score 0.8": {"options.faces.min_score": 0.8},
    "--face-model yunet.onnx": {"options.faces.detector": "yunet"},
}
LIVE = {
    "": {"options.source": "test"},
    "--watch": {"options.watch": True},
    "--real-time": {"options.real_time": True},
    "--size 320x240": {"options.size": "320x240"},
    "--fps 5": {"options.fps": 5},
    "--seconds 2": {"options.seconds": 2},
    "--config live.toml": {"options.steady": 0.5, "options.source": "test"},
    "--config live.toml --steady 1": {"options.steady": 1},
    "--min-confidence 0.6": {"options.min_confidence": 0.6},
    "--max-fps 3": {"options.max_fps": 3},
    "--motion-gate": {"options.motion_gate": True},
    "--no-motion-gate": {"options.motion_gate": False},
    "--max-temp 70": {"options.max_temp": 70},
    "--format csv": {"options.format": "csv"},
    "--json": {"options.json": True},
    "--events": {"options.events": True},
    "--annotate seen.mp4": {"options.annotate": "seen.mp4"},
    "--html page.html": {"options.html": "page.html"},
    "--clip 2 --clips kept": {"options.clip": 2, "options.clips": "kept"},
    "--keep 5MB": {"options.keep": "5MB"},
    "--collect kept": {"options.collect": "kept"},
    "--on-change ls": {"options.on_change": "ls"},
    "--webhook http://localhost/": {"options.webhook": "http://localhost/"},
    "--mqtt mqtt://localhost": {"options.mqtt": "mqtt://localhost"},
    "--name door": {"options.name": "door"},
    "--mask 0,0,9,9 --mask 1,1,2,2": {"options.mask": ["0,0,9,9", "1,1,2,2"]},
    "--region 0,0,9,9": {"options.region": ["0,0,9,9"]},
    "--blur": {"options.blur": True},
    "--no-images": {"options.no_images": True},
    "--model int8.tflite --threads 2": {"options.model": "int8.tflite", "options.threads": 2},
    "--faces": {"options.faces": True},
    "--no-faces": {"options.faces": False},
    "--face-detector blaze": {"options.face_detector": "blaze"},
    "--face-margin 0.2": {"options.face_margin": 0.2},
    "--face-score 0.9": {"options.face_score": 0.9},
    "--face-model yunet.onnx": {"options.face_model": "yunet.onnx"},
}
CHECK = {
    "--classes happy,sad": {"layout.labels": ["happy", "sad"]},
    "--accept webp": {"work.formats": ["BMP", "JPEG", "PNG", "WEBP"]},
    "--faces": {"work.detector_name": "blaze"},
    "--face-detector blaze": {"work.detector_name": "blaze"},
    "--face-score 0.8": {"work.detector_name": "blaze", "work.faces.min_score": 0.8},
    "--keep kept --resume": {"parts.address": "kept"},
    "--keep kept --again": {"parts.address": "kept"},
}
WRITE = {
    "--classes happy,sad": {"classes": ["happy", "sad"]},
    "--accept webp": {"accept": ["webp"]},
    "--force": {"replace": True},
    "--link symlink": {"link": "symlink"},
    "--review decided.csv": {"decisions.file": "decided.csv"},
}
REVIEW = {
    "--classes happy,sad": {"session.labels": ["happy", "sad"]},
    "--port 8765": {"port": 8765},
    "--out mine.csv": {"session.decisions.file": "mine.csv"},
    "--browser": {"port": 0},
    "--no-browser": {"port": 0},
    "--accept webp": {"session.decided": 0},
}
SPLIT = {
    "--classes happy,sad": {"options.classes": ["happy", "sad"]},
    "--accept webp": {"options.accept": ["webp"]},
    "--force": {"replace": True},
    "--link hard": {"link": "hard"},
    "--review decided.csv": {"options.decisions.file": "decided.csv"},
    "--ratios 0.5,0.3,0.2": {"options.ratios": [0.5, 0.3, 0.2]},
    "--seed 3": {"options.seed": 3},
}
CROP = {
    "--classes happy,sad": {"options.classes": ["happy", "sad"]},
    "--accept webp": {"options.accept": ["webp"]},
    "--force": {"out.replace": True},
    "--size 64": {"options.size": 64},
    "--all-faces": {"options.all_faces": True},
    "--face-margin 0.2": {"options.faces.margin": 0.2},
    "--face-detector cascade": {"options.faces.detector": "cascade"},
    "--face-score 0.8": {"options.faces.min_score": 0.8},
    "--face-model yunet.onnx": {"options.faces.detector": "yunet"},
    "--workers 3": {"place.workers": 3},
    "--resume": {"out.resume": True, "out.is_kept": True},
    "--again": {"out.again": True, "out.is_kept": True},
}
CAPTURE = {
    "--classes happy": {"session.keys": {"h": "happy"}, "session.every_s": 2},
    "--classes a --size 320x240": {"session.folder": "new"},
    "--classes a --seconds 3": {"reader._settings.seconds": 3},
}
DRAW = {
    "--count 10": {"count": 10},
    "--size 32": {"size": 32},
    "--seed 5": {"seed": 5},
    "--force": {"replace": True},
}

REACHED = [
    *((f"train --data faces {words}", arrives) for words, arrives in TRAIN.items()),
    ("train --resume --out models/new", {"out": "models/new"}),
    *((f"tune --data faces {words}", arrives) for words, arrives in TUNE.items()),
    *((f"export {words}", arrives) for words, arrives in EXPORT.items()),
    *((f"adopt int8.tflite {words}", arrives) for words, arrives in ADOPT.items()),
    *((f"verify {words}", arrives) for words, arrives in VERIFY.items()),
    *((f"diagnose {words}", arrives) for words, arrives in DIAGNOSE.items()),
    *(
        (f"predict --model models/mine faces {words}", arrives)
        for words, arrives in PREDICT.items()
    ),
    *((f"serve test {words}", arrives) for words, arrives in SERVE.items()),
    *(
        (f"evaluate models/mine --data faces {words}", arrives)
        for words, arrives in EVALUATE.items()
    ),
    *((f"compare models/mine int8.tflite {words}", arrives) for words, arrives in COMPARE.items()),
    *((f"bench models/mine {words}", arrives) for words, arrives in BENCH.items()),
    *((f"bundle models/mine {words}", arrives) for words, arrives in BUNDLE.items()),
    ("sign --key key.pem int8.tflite", {"path": "key.pem"}),
    ("verify-signature --key public.pem int8.tflite", {"keys": ["public.pem"]}),
    *((f"data check faces {words}", arrives) for words, arrives in CHECK.items()),
    *((f"data review faces {words}", arrives) for words, arrives in REVIEW.items()),
    *((f"data clean faces --out new {words}", arrives) for words, arrives in WRITE.items()),
    *((f"data split faces --out new {words}", arrives) for words, arrives in SPLIT.items()),
    *((f"data crop faces --out new {words}", arrives) for words, arrives in CROP.items()),
    *((f"data draw new {words}", arrives) for words, arrives in DRAW.items()),
    *(
        (f"data capture new --source test --every 2 {words}", arrives)
        for words, arrives in CAPTURE.items()
    ),
    *((f"live test {words}", arrives) for words, arrives in LIVE.items()),
]
"""Command lines, and what arrives at the function: values, by their places in its arguments."""

SHOWN = [
    ("--version", "0."),
    ("-V", "0."),
    ("--show-completion", "complete -o default"),
    ("--install-completion", "bash completion installed"),
    ("predict faces/happy --model int8.tflite --format csv", "file,label,score"),
    ("predict faces/happy --model int8.tflite --annotate seen", "happy"),
    ("predict faces/happy --model int8.tflite --every 2", "happy"),
    ("predict faces/happy --model int8.tflite --keep kept --resume", " predicted ("),
    ("predict faces/happy --model int8.tflite --keep kept --again", " predicted ("),
    ("predict faces/happy --model int8.tflite --cluster node1", "give HOST:PORT"),
    ("predict faces/happy --model int8.tflite --face-model yunet.onnx", "--face-model"),
    ("evaluate int8.tflite --data faces --cluster node1", "give HOST:PORT"),
    ("evaluate int8.tflite --data faces --face-model yunet.onnx", "--face-model"),
    ("evaluate int8.tflite --data faces --min-accuracy 1", "not passed: accuracy "),
    ("evaluate int8.tflite --data faces --min-balanced-accuracy 1", ": balanced accuracy "),
    ("evaluate int8.tflite --data faces --min-recall 1", ": recall of "),
    ("evaluate int8.tflite --data faces --min-auc 1", ": AUC "),
    ("evaluate int8.tflite --data faces --min-coverage 1", "accuracy"),
    ("evaluate int8.tflite --data faces --max-calibration-error 0", ": calibration error "),
    ("models --default happy-sad", "predict takes happy-sad: the default"),
    ("live --list", "camera"),
    ("data crop faces --out new --cluster node1", "give HOST:PORT"),
    ("data check faces --html page.html", "fewer than 100"),
    ("data check faces --cluster node1", "give HOST:PORT"),
    ("data check faces --face-model yunet.onnx", "yunet"),
    ("data check faces --strict", "strict: there is something to act on"),
]
"""Command lines whose options act elsewhere, and a part of what is printed."""


def _pages(command, name, parent=None):
    context = typer.Context(command, parent, info_name=name, **command.context_settings)
    yield context.command_path.removeprefix("edgeemo").strip(), command, context
    for below in getattr(command, "commands", ()):
        yield from _pages(command.get_command(context, below), below, context)


PAGES = {
    path: (command, context)
    for path, command, context in _pages(typer.main.get_command(app), "edgeemo")
}
COMMANDS = [path for path, (command, _) in PAGES.items() if hasattr(command, "declared")]


class _ReachedError(EdgeEmoError):
    """The function of the library was called."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Images, a model folder, measurements, and files that only have to exist."""
    folder = tmp_path_factory.mktemp("inputs")
    draw_faces(folder / "faces", count=4, size=32, seed=3)
    shutil.copytree(folder / "faces", folder / "more")
    shutil.copy(folder / "faces/happy/happy-0000.jpg", folder / "faces/happy/copy.jpg")
    mine = folder / "models" / "mine"
    mine.mkdir(parents=True)
    for name in ("float32.tflite", "int8.tflite", "float32.onnx"):
        shutil.copy(GOLDEN / name, mine)
    (mine / "spec.json").write_text(unseal(mine / "int8.tflite").spec.to_json())
    (mine / "training.json").write_text("{}")
    (mine / "model.keras").touch()
    shutil.copy(GOLDEN / "int8.tflite", folder)
    (folder / "own.keras").touch()
    (folder / "t.keras").touch()
    (folder / "yunet.onnx").write_bytes(b"\x08\x07 a detector's file")
    (folder / "votes.csv").write_text("file,happy,sad\nhappy-0000.jpg,2,1\n")
    (folder / "decided.csv").write_text("path,sha256,decision,label\n")
    odd = Image.new("L", (400, 32))
    odd.putdata([x % 251 for x in range(400 * 32)])
    odd.save(folder / "faces/happy/odd.png")
    (folder / "live.toml").write_text("steady = 0.5\n")
    (folder / "options.toml").write_text("epochs = 7\nseed = 9\n")
    measured = report(result("int8.tflite", 5, sha256=sha256_file(GOLDEN / "int8.tflite")))
    (folder / "pi.json").write_text(json.dumps(to_plain(measured)))
    return folder


@pytest.fixture
def here(inputs, tmp_path, monkeypatch):
    """A working directory with all of it, and a home."""
    shutil.copytree(inputs, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(shellingham, "detect_shell", lambda *_: ("bash", "/bin/bash"))
    return tmp_path


@pytest.fixture
def arrived(monkeypatch):
    """What arrives at the function that a command calls; the function then fails."""
    arrived = SimpleNamespace()
    for module, name in LIBRARY:
        signature = inspect.signature(getattr(module, name))

        def reach(*args, _signature=signature, **named):
            vars(arrived).update(_signature.bind(*args, **named).arguments)
            raise _ReachedError("reached")

        monkeypatch.setattr(module, name, reach)
    monkeypatch.setattr(
        child, "run_in_child", lambda function, *args, **named: function(*args, **named)
    )
    return arrived


def _find(root, path):
    for name in path.split("."):
        root = root[int(name)] if name.isdecimal() else getattr(root, name)
    return to_plain(root)


@pytest.mark.parametrize(("line", "arrives"), REACHED, ids=[line for line, _ in REACHED])
def test_the_value_of_an_option_arrives(edgeemo, here, arrived, line, arrives):
    shown = edgeemo(*line.split())
    assert shown.status == 1
    assert shown.err.splitlines()[-1] == "error: reached"
    assert {path: _find(arrived, path) for path in arrives} == arrives


@pytest.mark.parametrize(("line", "part"), SHOWN, ids=[line for line, _ in SHOWN])
def test_an_option_acts(edgeemo, here, line, part):
    shown = edgeemo(*line.split())
    assert part in shown.out + shown.err


@pytest.mark.parametrize("path", PAGES)
def test_help_is_the_same_by_both_names(edgeemo, path):
    shown = edgeemo(*path.split(), "--help")
    assert (shown.status, shown.err) == (0, "")
    assert shown.out == edgeemo(*path.split(), "-h").out


@pytest.mark.parametrize("path", PAGES)
def test_help_fits_the_terminal(edgeemo, monkeypatch, path):
    words = {}
    for width in (80, 40):
        monkeypatch.setenv("COLUMNS", str(width))
        text = edgeemo(*path.split(), "--help").out
        assert [line for line in text.splitlines() if len(line) > width] == []
        words[width] = set(text.split()) - {"\\"}  # which continues an example
    assert words[40] == words[80]
    monkeypatch.setenv("COLUMNS", "200")
    assert max(map(len, edgeemo(*path.split(), "--help").out.splitlines())) <= 80


@pytest.mark.parametrize("words", ["-q {} -v", "{} --quiet --verbose", "-v {} -q"])
@pytest.mark.parametrize("path", COMMANDS)
def test_quiet_excludes_verbose_wherever_they_stand(edgeemo, here, path, words):
    images = {
        "predict": "x.png",
        "adopt": "int8.tflite",
        "evaluate": "--data faces",
        "compare": "a b",
        "data draw": "new",
        "data capture": "new --classes a",
        "data check": "faces",
        "data review": "faces",
    }
    files = {"sign": "x --key key.pem", "verify-signature": "x"}
    needed = (images | files).get(path, "faces --out new" if path.startswith("data") else "")
    shown = edgeemo(*words.format(f"{path} {needed}").split())
    assert (shown.status, shown.out) == (2, "")
    assert "--quiet excludes --verbose" in shown.err


def test_no_option_is_left_out():
    """An option that is new has to have a line above."""
    lines = [line for line, _ in (*REACHED, *SHOWN)]
    missing = []
    for path, (command, context) in PAGES.items():
        used = {word for line in lines if line.startswith(path) for word in line.split()}
        flags = [
            flag
            for each in command.get_params(context)
            for flag in (*each.opts, *each.secondary_opts)
            if flag.startswith("-")
        ]
        missing += [f"{path} {flag}" for flag in flags if flag not in used | ALWAYS]
    assert missing == []
