package dev.reweave.format.pytorch;

import dev.reweave.common.ReweaveException;
import dev.reweave.storage.InputFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** A file that is no torch.save file, and what it may be instead. */
final class ForeignFile {
  /** First bytes that are looked at: enough for the signature of a tar. */
  static final int HEAD_BYTES = 512;

  private static final int TAR_SIGNATURE = 257;

  private ForeignFile() {}

  /** What to tell of a file that starts with {@code head}. */
  static ReweaveException describe(InputFile file, byte[] head) {
    String text = new String(head, StandardCharsets.ISO_8859_1);
    if (text.isEmpty()) {
      return TorchFileFailures.empty(file);
    }
    if (text.startsWith("version https://git-lfs")) {
      return TorchFileFailures.lfsPointer(file);
    }
    if (text.startsWith("PK\3\4")) {
      return TorchFileFailures.truncated(file);
    }
    if (isSafetensors(file, head)) {
      return TorchFileFailures.safetensors(file);
    }
    if (text.startsWith("ustar", TAR_SIGNATURE)) {
      return TorchFileFailures.tar(file);
    }
    if (text.charAt(0) == 0x80) {
      return TorchFileFailures.plainPickle(file);
    }
    return TorchFileFailures.somethingElse(file, head);
  }

  private static boolean isSafetensors(InputFile file, byte[] head) {
    if (head.length <= Long.BYTES || head[Long.BYTES] != '{') {
      return false;
    }
    long header = ByteBuffer.wrap(head).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return header > 0 && header <= file.length() - Long.BYTES;
  }
}
