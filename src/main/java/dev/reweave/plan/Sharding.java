package dev.reweave.plan;

/** How tensors are spread over files. */
public enum Sharding {
  /** In the order of the model, until a shard is full. */
  BY_SIZE,
  /** Each into the shard that the base has it in. */
  LIKE_BASE
}
