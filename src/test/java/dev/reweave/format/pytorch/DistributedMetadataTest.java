package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.TensorSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is written for torch.distributed.checkpoint, beside what torch wrote. */
class DistributedMetadataTest {

  private static TorchValue read(byte[] pickle) throws IOException {
    return PickleFile.read(new BytesAccess(pickle));
  }

  private static TorchValue torchs() throws IOException {
    try (FileAccess access =
        FileAccess.open(FileAccess.resource("fixtures/dcp_plain/ckpt/.metadata"))) {
      return PickleFile.read(access);
    }
  }

  private static TorchValue of(TorchValue object, String... attributes) {
    TorchValue at = object;
    for (String attribute : attributes) {
      at = at.attribute(attribute).orElseThrow();
    }
    return at;
  }

  /** Puts together again what torch put together of the same tensors. */
  @Test
  void isWhatTorchWrites() throws IOException {
    TorchValue theirs = torchs();
    DistributedMetadata metadata = new DistributedMetadata();
    for (Map.Entry<String, TorchValue> tensor : of(theirs, "state_dict_metadata").entries()) {
      if (tensor.getValue().attribute("size").isPresent()) {
        DType dtype =
            of(tensor.getValue(), "properties").state().orElseThrow().items().get(0).dtype();
        Shape shape = of(tensor.getValue(), "size").shape();
        TorchValue place =
            of(theirs, "storage_data").pairs().stream()
                .filter(p -> of(p.getKey(), "fqn").text().equals(tensor.getKey()))
                .findFirst()
                .orElseThrow()
                .getValue();
        metadata.add(
            new TensorSpec(tensor.getKey(), dtype, shape),
            List.of(
                new DistributedMetadata.Box(
                    Arrays.stream(shape.dims()).map(d -> 0).boxed().toList(),
                    shape,
                    of(place, "relative_path").text(),
                    of(place, "offset").integer(),
                    of(place, "length").integer())));
      }
    }

    TorchValue ours = read(metadata.bytes());

    assertEquals(theirs.className(), ours.className());
    for (Map.Entry<String, TorchValue> tensor : of(ours, "state_dict_metadata").entries()) {
      TorchValue expected = of(theirs, "state_dict_metadata").at(tensor.getKey());
      assertEquals(told(expected), told(tensor.getValue()), tensor.getKey());
    }
    Map<String, String> places = places(theirs);
    places(ours).forEach((key, place) -> assertEquals(places.get(key), place, key));
    assertEquals(told(of(theirs, "version")), told(of(ours, "version")));
  }

  private static Map<String, String> places(TorchValue metadata) {
    Map<String, String> places = new TreeMap<>();
    of(metadata, "storage_data")
        .pairs()
        .forEach(pair -> places.put(told(pair.getKey()), told(pair.getValue())));
    return places;
  }

  /** A value as words, with all that it is made of. */
  private static String told(TorchValue value) {
    if (value.isTruth()) {
      return String.valueOf(value.truth());
    }
    if (value.isInteger() && !value.isUnknownObject() && value.className().isEmpty()) {
      return String.valueOf(value.integer());
    }
    if (value.isText()) {
      return value.text();
    }
    if (value.isDict()) {
      StringBuilder told = new StringBuilder("{");
      value.pairs().stream()
          .map(e -> told(e.getKey()) + "=" + told(e.getValue()) + ";")
          .sorted()
          .forEach(told::append);
      return told.append('}').toString();
    }
    if (value.isSequence()) {
      return value.kind() + value.items().stream().map(DistributedMetadataTest::told).toList();
    }
    return value.kind()
        + value.arguments(9).stream().map(DistributedMetadataTest::told).toList()
        + value.state().map(DistributedMetadataTest::told).orElse("");
  }

  /** Each item is a file that torch.load takes, and its zip is sound. */
  @ParameterizedTest
  @EnumSource(DType.class)
  void itemsAreFilesOfOneTensor(DType dtype) throws IOException {
    if (dtype.isPacked()) {
      return;
    }
    for (Shape shape : List.of(Shape.of(3, 5), Shape.SCALAR, Shape.of(0, 7))) {
      DistributedItem item = new DistributedItem(dtype, shape);
      byte[] elements = new byte[(int) shape.elements() * dtype.bytes()];
      Arrays.fill(elements, (byte) 1);
      CRC32 crc = new CRC32();
      crc.update(elements);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.writeBytes(item.head());
      out.writeBytes(elements);
      out.writeBytes(item.end((int) crc.getValue()));
      assertEquals(item.length(), out.size());

      TorchFile file = TorchFile.read(new BytesAccess(out.toByteArray()), 0);

      TorchTensor tensor = file.root().tensor();
      assertEquals(dtype, tensor.dtype());
      assertEquals(shape, tensor.shape());
      assertArrayEquals(elements, file.elements(tensor));
      assertTrue(item.length() - elements.length < DistributedItem.MOST_BESIDE);
    }
  }

  @Test
  void typesThatTorchDoesNotHaveAreRefused() {
    TensorSpec tensor = new TensorSpec("t", DType.F6_E2M3, Shape.of(4));

    assertThrows(ReweaveException.class, () -> DistributedMetadata.require(tensor));
    assertThrows(ReweaveException.class, () -> new DistributedMetadata().add(tensor, List.of()));
  }

  @Test
  void namesComeOnce() {
    TensorSpec tensor = new TensorSpec("t", DType.F32, Shape.of(4));
    DistributedMetadata metadata = new DistributedMetadata();
    List<DistributedMetadata.Box> boxes =
        List.of(new DistributedMetadata.Box(List.of(0L), Shape.of(4), "__0_0.distcp", 0, 9));
    metadata.add(tensor, boxes);

    assertThrows(IllegalArgumentException.class, () -> metadata.add(tensor, boxes));
  }
}
