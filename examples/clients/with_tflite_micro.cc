// Predicts with TensorFlow Lite Micro: the files of `edgeemo export MODEL --c-array`, here happy-sad's.
// Pixels come from standard input: happy-sad takes 48 x 48 bytes of grey.

#include <cstdio>

#include "happy_sad.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"
#include "tensorflow/lite/schema/schema_generated.h"

alignas(16) static uint8_t arena[160 * 1024];

int main() {
  tflite::MicroMutableOpResolver<7> operators;  // those of the file: Netron shows them
  operators.AddAdd();
  operators.AddConv2D();
  operators.AddFullyConnected();
  operators.AddMaxPool2D();
  operators.AddMean();
  operators.AddQuantize();
  operators.AddSoftmax();
  const tflite::Model* model = tflite::GetModel(g_happy_sad_model);
  tflite::MicroInterpreter interpreter(model, operators, arena, sizeof arena);
  if (interpreter.AllocateTensors() != kTfLiteOk) return 1;
  TfLiteTensor* input = interpreter.input(0);
  while (std::fread(input->data.uint8, 1, input->bytes, stdin) == input->bytes) {
    if (interpreter.Invoke() != kTfLiteOk) return 1;
    for (int i = 0; i < k_happy_sad_outputs; i++) {
      std::printf("%g ", interpreter.output(0)->data.uint8[i] / 256.0);
    }
    std::printf("\n");
  }
  std::fprintf(stderr, "%zu bytes of the arena\n", interpreter.arena_used_bytes());
}
