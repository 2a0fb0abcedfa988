/**
 * Headers and indexes of safetensors, read strictly and written as the reference library writes
 * them. Way in: {@link dev.reweave.format.safetensors.SafetensorsHeader}.
 */
package dev.reweave.format.safetensors;
