#!/bin/sh
# As TensorFlow Serving's image: the model $MODEL_NAME below $MODEL_BASE_PATH, unless flags say otherwise.
exec /usr/bin/tensorflow_model_server --port=8500 --rest_api_port=8501 \
  --model_name="${MODEL_NAME}" --model_base_path="${MODEL_BASE_PATH}/${MODEL_NAME}" "$@"
