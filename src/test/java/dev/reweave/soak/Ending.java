package dev.reweave.soak;

import dev.reweave.common.ReweaveException;
import dev.reweave.manifest.Manifest;
import dev.reweave.storage.Checksum;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What has to be true when the same command has come to its end.
 *
 * @param made the only model that may be there
 * @param folder of the model in the site, with a slash at the end
 * @param names which its shards may have
 */
record Ending(Model made, String folder, Names names) {
  /** Which names shards have. */
  enum Names {
    USUAL,
    /** Those that they get beside an old model's, as well. */
    SPARE
  }

  /**
   * What is wrong.
   *
   * @param wrong of the result, in words
   * @param left what should not be there, by path
   */
  record Complaints(List<String> wrong, List<String> left) {
    Complaints {
      wrong = List.copyOf(wrong);
      left = List.copyOf(left);
    }

    boolean isNone() {
      return wrong.isEmpty() && left.isEmpty();
    }
  }

  /**
   * Looks at all that is there.
   *
   * @param site all files, hidden ones too
   * @param uploads that are open
   */
  Complaints look(Map<String, byte[]> site, List<String> uploads) {
    List<String> wrong = new ArrayList<>();
    List<String> left = new ArrayList<>();
    uploads.forEach(upload -> left.add("the upload of " + upload));
    Map<String, byte[]> present = new TreeMap<>();
    site.forEach(
        (path, content) -> {
          String name = path.startsWith(folder) ? path.substring(folder.length()) : "/" + path;
          // Some connectors leave an empty object in the name of a folder.
          if (name.isEmpty()) {
            return;
          }
          if (!made.files().containsKey(usual(name))) {
            left.add(path);
          } else if (present.put(usual(name), content) != null) {
            left.add("a second " + path);
          }
        });
    made.files()
        .forEach(
            (path, content) -> {
              byte[] there = present.get(path);
              if (there == null) {
                wrong.add(path + " is not there");
              } else if (!path.equals(Manifest.FILE_NAME) && !made.has(path, there)) {
                wrong.add(path + " has other bits");
              }
            });
    if (present.containsKey(Manifest.FILE_NAME)) {
      wrong.addAll(untrue(present.get(Manifest.FILE_NAME), site));
    }
    return new Complaints(wrong, left);
  }

  private String usual(String name) {
    return names == Names.SPARE ? Model.plain(name) : name;
  }

  /** What the manifest says that is not so. */
  private List<String> untrue(byte[] content, Map<String, byte[]> site) {
    List<String> untrue = new ArrayList<>();
    try {
      Manifest manifest = Manifest.parse(content, Manifest.FILE_NAME);
      List<Manifest.Shard> told = new ArrayList<>(manifest.result().shards());
      told.addAll(manifest.result().files());
      for (Manifest.Shard file : told) {
        byte[] there = site.getOrDefault(folder + file.name(), new byte[0]);
        String crc = Checksum.hex(Checksum.CRC_32C.of(there, 0, there.length));
        if (there.length != file.bytes() || !crc.equals(file.crc32c())) {
          untrue.add("the manifest tells of another " + file.name());
        }
      }
      String tensors = Model.plain(manifest.result().weights().toString());
      if (!tensors.equals(made.manifest().result().weights().toString())) {
        untrue.add("the manifest tells of other tensors");
      }
      TreeSet<String> names = new TreeSet<>(manifest.fileNames());
      TreeSet<String> visible = new TreeSet<>(Reader.visible(below(site, folder)).keySet());
      if (!names.equals(visible)) {
        untrue.add("the manifest names " + names + ", and there are " + visible);
      }
    } catch (ReweaveException e) {
      untrue.add("no manifest: " + e.getMessage());
    }
    return untrue;
  }

  /** The files below a folder, by path in it. */
  static Map<String, byte[]> below(Map<String, byte[]> site, String folder) {
    Map<String, byte[]> below = new TreeMap<>();
    site.forEach(
        (path, content) -> {
          if (path.startsWith(folder)) {
            below.put(path.substring(folder.length()), content);
          }
        });
    return below;
  }

  /** What of an input is not as it was. */
  static List<String> changed(Map<String, byte[]> before, Map<String, byte[]> now) {
    List<String> changed = new ArrayList<>();
    TreeSet<String> paths = new TreeSet<>(before.keySet());
    paths.addAll(now.keySet());
    for (String path : paths) {
      if (!Arrays.equals(before.get(path), now.get(path))) {
        changed.add("the input's " + path + " is not as it was");
      }
    }
    return changed;
  }
}
