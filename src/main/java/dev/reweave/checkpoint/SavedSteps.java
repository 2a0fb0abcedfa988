package dev.reweave.checkpoint;

import dev.reweave.ReweaveException;
import dev.reweave.checkpoint.dcp.DcpFolder;
import dev.reweave.checkpoint.deepspeed.TagFolder;
import dev.reweave.storage.Stores;
import java.util.List;
import java.util.Optional;

/** The steps that training has saved at an address, by their tags; reads names of files alone. */
public final class SavedSteps {
  private final Stores stores;

  /** Of checkpoints in these stores. */
  public SavedSteps(Stores stores) {
    this.stores = stores;
  }

  /**
   * The tags of all steps in a folder, in natural order.
   *
   * @throws ReweaveException if there are none
   */
  public List<String> all(String address) {
    Stores.Listing root = folder(address);
    List<String> tags = TagFolder.tags(stores, root);
    if (tags.isEmpty()) {
      tags = DcpFolder.tags(stores, root);
    }
    if (tags.isEmpty()) {
      throw none(address);
    }
    return tags.stream().sorted(new NaturalOrder()).toList();
  }

  /**
   * The tag of the step that would be read.
   *
   * @param wanted the tag that the user asks for; empty for the one that {@code latest} names
   * @throws ReweaveException if there is no such step, or it is not clear which is meant
   */
  public String chosen(String address, Optional<String> wanted) {
    Stores.Listing root = folder(address);
    return TagFolder.find(stores, address, root, wanted)
        .map(TagFolder::tag)
        .or(() -> DcpFolder.find(stores, address, root, wanted).map(DcpFolder::tag))
        .orElseThrow(() -> none(address));
  }

  private Stores.Listing folder(String address) {
    if (stores.file(address).isPresent()) {
      throw none(address);
    }
    return stores.list(address);
  }

  private static ReweaveException none(String address) {
    return ReweaveException.notFound(
        "there are no saved steps here, and so no tags",
        address,
        "name the folder that save_checkpoint wrote, or an --output without {tag}");
  }
}
