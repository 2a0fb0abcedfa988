/**
 * Recognises weights that are quantized, by their names, types and config, and gives back what they
 * stand for. Knows checkpoints, not who reads them; the way in is {@link
 * dev.reweave.checkpoint.quantized.Quantization}.
 */
package dev.reweave.checkpoint.quantized;
