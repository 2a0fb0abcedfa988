package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import dev.reweave.tensor.StorageRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchFileTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "protocol1.pt",
        "protocol2.pt",
        "protocol3.pt",
        "protocol4.pt",
        "protocol5.pt",
        "legacy.pt",
        "legacy_protocol4.pt"
      })
  void readsPlainValuesOfEveryProtocol(String sample) throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample(sample)) {
      TorchValue root = file.root();
      assertTrue(root.entries().stream().anyMatch(e -> e.getKey().equals("none")));
      assertTrue(root.find("none").isEmpty());
      assertTrue(root.at("yes").truth());
      assertFalse(root.at("no").truth());
      assertFalse(root.at("yes").isInteger());
      assertEquals(3, root.at("small").integer());
      assertEquals(-5, root.at("negative").integer());
      assertEquals(1L << 40, root.at("large").integer());
      assertFalse(root.at("huge").isInteger());
      assertEquals(0.5, root.at("real").real());
      assertEquals("Größe €", root.at("text").text());
      assertEquals(integers(1, 2, 3), integers(root.at("tuple")));
      assertEquals(integers(1), integers(root.at("one")));
      assertEquals(integers(1, 2), integers(root.at("two")));
      assertEquals("two", root.at("list").items().get(1).text());
      assertEquals(integers(3), integers(root.at("list").items().get(2)));
      assertEquals(integers(1), integers(root.at("set")));
      assertEquals(integers(2), integers(root.at("frozen")));
      assertEquals(Shape.of(13, 7), root.at("size").shape());
      assertEquals("seven", root.at("7").text());
      assertEquals(integers(1), integers(root.at("default").at("a")));
      assertEquals(2500, root.at("long list").items().size());
      assertEquals(2499, root.at("long list").items().get(2499).integer());
      assertTrue(root.at("nothing").items().isEmpty());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"protocol1.pt", "protocol2.pt", "protocol5.pt", "legacy.pt"})
  void readsViewsOfOneStorage(String sample) throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample(sample)) {
      TorchValue weights = file.root().at("weights");
      assertEquals(
          List.of("transposed", "slice", "tail", "scalar", "expanded", "empty", "whole"),
          weights.entries().stream().map(Map.Entry::getKey).toList());
      float[] whole = new float[24];
      float[] transposed = new float[24];
      for (int i = 0; i < 24; i++) {
        whole[i] = i;
        transposed[i] = i % 4 * 6 + i / 4;
      }
      assertArrayEquals(whole, file.floats(weights.at("whole")));
      assertEquals(Shape.of(6, 4), weights.at("transposed").tensor().shape());
      assertArrayEquals(transposed, file.floats(weights.at("transposed")));
      assertArrayEquals(new float[] {5, 8, 11, 14}, file.floats(weights.at("slice")));
      assertArrayEquals(new float[] {20, 21, 22, 23}, file.floats(weights.at("tail")));
      assertEquals(Shape.SCALAR, weights.at("scalar").tensor().shape());
      assertArrayEquals(new float[] {7}, file.floats(weights.at("scalar")));
      assertArrayEquals(new float[] {3, 3, 3, 3, 3}, file.floats(weights.at("expanded")));
      assertEquals(Shape.of(0, 3), weights.at("empty").tensor().shape());
      assertEquals(0, file.bytes(weights.at("empty")).length);
      assertSame(
          file.layout(weights.at("tail")).storage(), file.layout(weights.at("whole")).storage());
    }
  }

  @Test
  void readsEveryElementType() throws IOException {
    byte[] float32 = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0, 0x40};
    for (String sample : List.of("dtypes.pt", "legacy_dtypes.pt")) {
      try (OpenTorchFile file = OpenTorchFile.sample(sample)) {
        for (Map.Entry<String, TorchValue> entry : file.root().entries()) {
          TorchTensor tensor = entry.getValue().tensor();
          assertEquals(DType.ofTorchName(entry.getKey()).orElseThrow(), tensor.dtype());
          assertEquals(4, tensor.storageElements(), entry.getKey());
          assertEquals(4 * tensor.dtype().bytes(), file.bytes(entry.getValue()).length);
        }
        assertArrayEquals(
            float32, Arrays.copyOf(file.bytes(file.root().at("float32")), float32.length));
        assertArrayEquals(new byte[] {0, 1, 1, 0}, file.bytes(file.root().at("bool")));
        assertArrayEquals(
            new byte[] {0x38, 0x40, 0x48, 0x50}, file.bytes(file.root().at("float8_e4m3fn")));
      }
    }
    try (OpenTorchFile file = OpenTorchFile.sample("dtypes.pt")) {
      long types = Arrays.stream(DType.values()).filter(t -> !t.isPacked()).count();
      assertEquals(types, file.root().entries().size());
    }
  }

  @Test
  void readsParametersAndSubclassesAsTensors() throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample("parameters.pt")) {
      TorchValue root = file.root();
      assertEquals(Shape.of(2, 3), root.at("plain").tensor().shape());
      assertArrayEquals(new float[] {0, 1, 2, 3, 4, 5}, file.floats(root.at("plain")));
      assertArrayEquals(new float[] {0, 1, 2}, file.floats(root.at("with_state")));
      assertArrayEquals(new float[] {0, 1, 2, 3}, file.floats(root.at("subclass")));
      assertArrayEquals(new float[] {0, 1}, file.floats(root.at("buffer")));
    }
  }

  @Test
  void readsNumpyScalars() throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample("numpy_scalars.pt")) {
      TorchValue root = file.root();
      assertEquals(-3, root.at("i").integer());
      assertEquals(200, root.at("u").integer());
      assertEquals(1.5, root.at("f").real());
      assertEquals(0.25, root.at("d").real());
      assertTrue(root.at("b").truth());
      assertEquals(7, root.at("big").integer());
      assertFalse(root.at("array").isTensor());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"objects_protocol2.pt", "objects_protocol4.pt"})
  void keepsObjectsOfUnknownClasses(String sample) throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample(sample)) {
      TorchValue root = file.root();
      assertEquals(3, root.at("stage").integer());
      assertEquals(1, root.at("slots").attribute("a").orElseThrow().integer());
      assertEquals("two", root.at("slots").attribute("b").orElseThrow().text());
      assertEquals(10, root.at("plain").attribute("numel").orElseThrow().integer());
      assertTrue(root.at("plain").attribute("absent").isEmpty());
      assertEquals(1, root.at("dict").at("a").integer());
      assertEquals("x", root.at("dict").attribute("note").orElseThrow().text());
      assertEquals(integers(1, 2), integers(root.at("list")));
      assertEquals(0.5, root.at("namespace").attribute("lr").orElseThrow().real());
      assertFalse(root.at("function").isDict());
    }
  }

  @Test
  void readsValuesThatContainThemselves() throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample("recursive.pt")) {
      TorchValue self = file.root().at("self").at("self");
      assertEquals("self.self.list[1][1]", self.at("list").items().get(1).items().get(1).path());
      assertEquals(1, self.at("list").items().get(1).items().get(0).integer());
    }
  }

  @Test
  void readsDeepNesting() throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample("nested.pt")) {
      TorchValue at = file.root();
      for (int i = 0; i < 300; i++) {
        at = at.items().get(0);
      }
      assertTrue(at.items().isEmpty());
    }
  }

  @Test
  void leavesTensorsOfOtherKindsAlone() throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample("exotic.pt")) {
      for (String kind : List.of("conj", "sparse", "meta", "wide", "quantized")) {
        assertFalse(file.root().at(kind).isTensor(), kind);
      }
      assertArrayEquals(new float[] {0, 1}, file.floats(file.root().at("good")));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "odd name (1).v2.pt",
        "nested_root.pt",
        "no_byteorder.pt",
        "no_crc.pt",
        "zip64_local.pt",
        "zip64.pt"
      })
  void readsZipsOfEveryMake(String sample) throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample(sample)) {
      TorchValue weight = file.root().at("w");
      assertArrayEquals(new float[] {0, 1, 2}, file.floats(weight));
      StorageRef storage = file.layout(weight).storage();
      assertEquals(StorageRef.Endian.LITTLE, storage.order());
      assertEquals("data/0", storage.name());
      assertEquals(5, storage.file());
      CRC32 crc = new CRC32();
      crc.update(file.bytes(weight));
      assertEquals(
          sample.equals("no_crc.pt") ? StorageRef.CRC_LEFT_OUT : crc.getValue(), storage.crc32());
    }
  }

  @Test
  void tellsBigEndianStorages() throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample("big_endian.pt")) {
      TorchValue weight = file.root().at("w");
      assertEquals(StorageRef.Endian.BIG, file.layout(weight).storage().order());
      assertEquals(1f, ByteBuffer.wrap(file.bytes(weight)).getFloat(4));
    }
  }

  @Test
  void readsSmallFilesAtOnce() throws IOException {
    try (OpenTorchFile file = OpenTorchFile.sample("protocol2.pt")) {
      assertEquals(1, file.reads());
      file.layout(file.root().at("weights").at("whole"));
      assertEquals(1, file.reads());
    }
  }

  @Test
  void readsLegacyPicklesLongerThanTheBuffer(@TempDir Path folder) throws IOException {
    byte[] sample = Files.readAllBytes(FileAccess.resource("torch/legacy.pt"));
    byte[] head = Arrays.copyOf(sample, 15 + 6);
    byte[] text = new byte[200_000];
    Arrays.fill(text, (byte) 'x');
    Path long_ = folder.resolve("long.pt");
    Pickle pickle = new Pickle().raw(head);
    // System information, the value, and the keys of no storages.
    pickle.op("}.").op("X").u4(text.length).raw(text).op(".").op("].");
    Files.write(long_, pickle.bytes());
    try (OpenTorchFile file = OpenTorchFile.open(long_)) {
      assertEquals(text.length, file.root().text().length());
    }
  }

  private static List<Long> integers(long... numbers) {
    return Arrays.stream(numbers).boxed().toList();
  }

  private static List<Long> integers(TorchValue sequence) {
    return sequence.items().stream().map(TorchValue::integer).toList();
  }
}
