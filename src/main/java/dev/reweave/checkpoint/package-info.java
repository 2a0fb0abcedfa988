/**
 * What an address holds: {@link dev.reweave.checkpoint.reading.CheckpointReader} is the way in, a
 * {@link dev.reweave.checkpoint.reading.Reading} says what is taken and what is not, and a {@link
 * dev.reweave.checkpoint.Checkpoint} gives the tensors with their layouts.
 *
 * <p>Knows torch files, safetensors, stores and tensors. What one family of formats is like is
 * known in a package of its own below this one, and nowhere else.
 */
package dev.reweave.checkpoint;
