package dev.reweave.testing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** What can be wrong with an order or an offset in a {@link FlatGroup}. */
public enum PlantedFault {
  TWO_PARAMETERS_SWAPPED {
    /** The first two whose numbers differ by more than rounding could hide. */
    @Override
    void change(List<byte[]> contents) {
      for (int i = 0; i + 1 < contents.size(); i++) {
        for (int j = i + 1; j < contents.size(); j++) {
          boolean empty = contents.get(i).length == 0 || contents.get(j).length == 0;
          if (!empty && first(contents.get(i)) != first(contents.get(j))) {
            Collections.swap(contents, i, j);
            return;
          }
        }
      }
    }
  },
  SHIFTED_BY_ONE_ELEMENT {
    @Override
    void change(List<byte[]> contents) {
      byte[] all = FlatGroup.joined(contents);
      byte[] shifted = new byte[all.length];
      System.arraycopy(all, 0, shifted, Float.BYTES, all.length - Float.BYTES);
      System.arraycopy(all, all.length - Float.BYTES, shifted, 0, Float.BYTES);
      contents.clear();
      contents.add(shifted);
    }
  },
  GROUP_REVERSED {
    @Override
    void change(List<byte[]> contents) {
      Collections.reverse(contents);
    }
  };

  abstract void change(List<byte[]> contents);

  /** The upper half of the first number: what bfloat16 keeps of it. */
  private static int first(byte[] content) {
    return ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getShort(2);
  }

  /** The parameters of a group with this fault. */
  private List<byte[]> changed(FlatGroup group) throws IOException {
    List<byte[]> contents = new ArrayList<>(group.read());
    change(contents);
    return contents;
  }

  /** Whether it would change any number, other than those of a group of a single parameter. */
  public boolean changes(FlatGroup group) throws IOException {
    return !Arrays.equals(FlatGroup.joined(group.read()), FlatGroup.joined(changed(group)));
  }

  /** Writes the fault into the files of a group. */
  public void plant(FlatGroup group) throws IOException {
    group.write(changed(group));
  }
}
