package dev.reweave.target.base;

import dev.reweave.format.safetensors.SafetensorsHeader;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import dev.reweave.tensor.TensorSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The headers of a base's weight files, each read once. */
final class HeaderFiles {
  private static final String LFS_POINTER = "version https://git-lfs.github.com/spec/";

  private final BaseFolder base;
  private final Map<String, SafetensorsHeader> headers = new HashMap<>();

  HeaderFiles(BaseFolder base) {
    this.base = base;
  }

  List<TensorSpec> tensors(String path) {
    return header(path).entries().stream().map(SafetensorsHeader.Entry::spec).toList();
  }

  Map<String, String> metadata(String path) {
    return header(path).metadata();
  }

  private SafetensorsHeader header(String path) {
    return headers.computeIfAbsent(path, this::read);
  }

  private SafetensorsHeader read(String path) {
    InputFile file = base.files().get(path);
    try (RandomAccess access = base.stores().open(file)) {
      requireContent(access);
      return SafetensorsHeader.read(access);
    } catch (IOException e) {
      throw Stores.unreadable(file.location(), e);
    }
  }

  private static void requireContent(RandomAccess access) throws IOException {
    byte[] start = new byte[LFS_POINTER.length()];
    if (access.file().length() >= start.length) {
      access.readFully(0, start, 0, start.length);
      if (new String(start, StandardCharsets.ISO_8859_1).equals(LFS_POINTER)) {
        throw BaseFailures.lfsPointer(access.file().uri());
      }
    }
  }
}
