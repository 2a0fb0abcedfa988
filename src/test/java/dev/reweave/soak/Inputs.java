package dev.reweave.soak;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The checkpoints, on the local disk and in each store, and what was in them at first. */
final class Inputs {
  /**
   * One of them.
   *
   * @param first what was in it before anything was converted
   */
  record Input(Site site, Map<String, byte[]> first) {
    String address() {
      return site.address();
    }

    /** What is not as it was. */
    List<String> changed() throws IOException {
      return Ending.changed(first, site.files());
    }
  }

  private final Map<String, Input> copies = new HashMap<>();
  private final Map<String, Input> originals = new HashMap<>();

  /** Puts them into the stores. */
  Inputs(List<Case> cases, List<Store> stores) throws IOException {
    for (Case each : cases) {
      Site local =
          FolderStore.local(each.input().getParent()).site(each.input().getFileName().toString());
      Input original = new Input(local, local.files());
      originals.put(each.name(), original);
      for (Store store : stores) {
        Site copy = store.site("input-" + each.name());
        copy.put(original.first());
        copies.put(key(store.name(), each), new Input(copy, original.first()));
      }
    }
  }

  private static String key(String kind, Case of) {
    return kind + "/" + of.name();
  }

  Input of(Choice choice) {
    return switch (choice.source()) {
      case LOCAL_DISK -> originals.get(choice.made().name());
      case SAME_STORE -> copies.get(key(choice.kind(), choice.made()));
    };
  }
}
