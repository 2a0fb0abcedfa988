/**
 * What libraries load models from, safetensors and {@code pytorch_model.bin} with their indexes,
 * and the slices that ranks save in such files: {@link
 * dev.reweave.checkpoint.huggingface.ModelFormat} is the way in, {@link
 * dev.reweave.checkpoint.huggingface.WeightsCheck} compares index, files and headers.
 */
package dev.reweave.checkpoint.huggingface;
