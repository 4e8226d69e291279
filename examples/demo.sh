#!/bin/sh
# The main job on practice faces: draw, train, export, verify, predict. Run by `make demo`.
set -eu
edgeemo=${EDGEEMO:-edgeemo}
model=models/practice-faces

step() { printf '\n== %s\n' "$*"; }

step "1/3  $edgeemo train --data practice-faces --out $model"
"$edgeemo" train --data practice-faces --out "$model" --force

step "2/3  $edgeemo export $model --int8     (and verify: do the files predict what the Keras model predicts?)"
"$edgeemo" export "$model" --int8 --force

step "3/3  $edgeemo predict - --model $model     (six test images; no TensorFlow from here on)"
awk -F, '$3 == "test" && ++seen[$2] <= 3 { print "practice-faces/" $1 }' "$model/split.csv" \
    | "$edgeemo" predict --model "$model" -

cat <<END

Done. These faces are drawn; a model trained on them knows nothing about people.
Look at   $model/report.html and $model/verify.md

Your own images (one folder per class):
    $edgeemo train --data PATH/TO/FACES --out models/mine
    $edgeemo export models/mine --int8
    $edgeemo predict face.jpg --model models/mine
END
