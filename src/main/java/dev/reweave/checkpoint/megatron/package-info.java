/**
 * What Megatron-LM saves with {@code torch.save}, a file for each tensor-, pipeline- and
 * expert-parallel rank ({@code --ckpt-format torch}): tensors joined, layers and experts under the
 * numbers of the whole model. Way in: {@link dev.reweave.checkpoint.megatron.MegatronFormat}.
 */
package dev.reweave.checkpoint.megatron;
