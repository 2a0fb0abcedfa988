package dev.reweave.sql;

import dev.reweave.tensor.NamedTensor;
import dev.reweave.tensor.TensorSpec;
import java.io.Serializable;

/**
 * What is known of a tensor before its elements are read.
 *
 * @param model which the tensor is of, for users
 * @param tag the saved step; empty where there is none
 * @param shard the file that holds the tensor as such; empty where there is none
 * @param from first byte of it there; -1 where it is in no one piece
 * @param to the byte behind its last; -1 where it is in no one piece
 */
record TensorEntry(String model, String tag, TensorSpec spec, String shard, long from, long to)
    implements Serializable {
  private static final TensorListing.Range NOWHERE = new TensorListing.Range(-1, -1);

  /** The same tensor, of another saved step. */
  TensorEntry withTag(String step) {
    return new TensorEntry(model, step, spec, shard, from, to);
  }

  static TensorEntry of(String model, TensorListing listing, NamedTensor tensor) {
    TensorListing.Range range =
        listing.place(tensor).flatMap(TensorListing.Place::range).orElse(NOWHERE);
    String shard = listing.place(tensor).map(TensorListing.Place::file).orElse("");
    return new TensorEntry(model, listing.tag(), tensor.spec(), shard, range.from(), range.to());
  }
}
