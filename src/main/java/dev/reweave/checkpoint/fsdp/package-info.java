/**
 * What each rank saves of a model that FSDP has sharded, with {@code torch.save}: {@link
 * dev.reweave.checkpoint.fsdp.FsdpFormat} is the way in.
 */
package dev.reweave.checkpoint.fsdp;
