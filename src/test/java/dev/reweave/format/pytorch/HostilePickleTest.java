package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.Shape;
import dev.reweave.testing.PickleWriter;
import dev.reweave.testing.TensorValue;
import dev.reweave.testing.ZipBytes;
import dev.reweave.testing.ZipBytes.Form;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole files whose pickles are made to do harm. */
class HostilePickleTest {
  private static final String PLACE = "memory:/file.pt";

  private static TorchFile file(byte[] pickle) throws IOException {
    return TorchFile.read(
        new BytesAccess(ZipBytes.torch(Form.TORCH, pickle, new byte[8]).bytes()), 0);
  }

  private static TorchFile file(Pickle pickle) throws IOException {
    return file(pickle.bytes());
  }

  private static Pickle pickle(String latin1) {
    return new Pickle().op(latin1);
  }

  @Nested
  class Calls {
    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(
        strings = {
          "os system",
          "posix system",
          "subprocess Popen",
          "builtins eval",
          "builtins exec",
          "builtins __import__",
          "torch load",
          "torch.hub load",
          "java.lang.Runtime exec",
          "dev.reweave.format.pytorch.NeverLoaded main"
        })
    void areInert(String global) throws IOException {
      Path mark = folder.resolve("pwned");
      Set<Long> processes = children();
      String[] parts = global.split(" ", -1);
      String argument = "V touch " + mark + "\n";
      String[] ways = {
        "c" + parts[0] + "\n" + parts[1] + "\n(" + argument + "tR.", // REDUCE
        "c" + parts[0] + "\n" + parts[1] + "\n(" + argument + "t\u0081.", // NEWOBJ
        "(" + argument + "i" + parts[0] + "\n" + parts[1] + "\n.", // INST
        "(c" + parts[0] + "\n" + parts[1] + "\n" + argument + "o.", // OBJ
        "V" + parts[0] + "\nV" + parts[1] + "\n\u0093(" + argument + "tR}b." // STACK_GLOBAL, BUILD
      };
      for (String way : ways) {
        TorchFile file = file(pickle(way));
        String name = parts[0] + "." + parts[1];
        assertEquals(Set.of(name), file.calls());
        assertEquals(
            "expected a number but found a value of "
                + name
                + ": "
                + PLACE
                + "; check that the file is what its name says, and that its framework's version"
                + " is supported",
            assertThrows(ReweaveException.class, () -> file.root().real()).getMessage());
      }
      assertTrue(Files.notExists(mark));
      assertEquals(processes, children());
      assertFalse(NeverLoaded.Witness.loaded);
    }

    private static Set<Long> children() {
      return ProcessHandle.current()
          .descendants()
          .map(ProcessHandle::pid)
          .collect(Collectors.toSet());
    }
  }

  @Nested
  class Trees {
    @Test
    void nestedDeeply() throws IOException {
      int depth = 100_000;
      for (String[] kind : new String[][] {{"]", "]", "a"}, {")", "", "\u0085"}}) {
        Pickle pickle =
            kind[1].isEmpty()
                ? pickle(kind[0]).repeat(kind[2], depth)
                : pickle("").repeat(kind[1], depth + 1).repeat(kind[2], depth);
        TorchValue at = file(pickle.op(".")).root();
        for (int i = 0; i < depth; i++) {
          at = at.items().get(0);
        }
        assertEquals(3L * depth, at.path().length());
        TorchValue last = at;
        assertThrows(ReweaveException.class, last::integer);
        assertFalse(last.isTensor());
      }
    }

    @Test
    void dictsNestedDeeply() throws IOException {
      int depth = 100_000;
      TorchValue at =
          file(pickle("").repeat("}Va\n", depth).op("}").repeat("s", depth).op(".")).root();
      for (int i = 0; i < depth; i++) {
        at = at.at("a");
      }
      assertTrue(at.entries().isEmpty());
    }

    @Test
    void selfReference() throws IOException {
      TorchValue list = file(pickle("]q\0h\0a.")).root();
      assertEquals("[0][0]", list.items().get(0).items().get(0).path());
      TorchValue dict = file(pickle("}q\0Va\nh\0s.")).root();
      assertEquals("a.a", dict.at("a").at("a").path());
      assertThrows(ReweaveException.class, () -> dict.at("a").shape());
      assertThrows(ReweaveException.class, () -> list.items().get(0).shape());
    }

    @Test
    void doublingThroughTheMemo() throws IOException {
      // Each tuple holds the one before it twice: 2^1000 leaves.
      TorchValue at = file(pickle("N").repeat("2\u0086", 1000).op(".")).root();
      for (int i = 0; i < 1000; i++) {
        assertEquals(2, at.items().size());
        at = at.items().get(1);
      }
      assertTrue(at.isNone());
    }

    @Test
    void oneListMadeIntoMany() {
      Pickle pickle = pickle("cbuiltins\nset\nq\0](").repeat("N", 8000).op("e\u0085q\1");
      assertCosts(pickle.repeat("h\0h\1R", 1000).op("."));
    }

    @Test
    void attributesOfManyTensors() {
      Pickle pickle = pickle("ctorch._tensor\n_rebuild_from_type_v2\nq\0");
      pickle.op("(ctorch._utils\n_rebuild_tensor\nctorch\nTensor\n");
      pickle.op("((Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nK\2tQK\0(K\2t(K\1tt}(");
      for (int i = 0; i < 1000; i++) {
        pickle.op("V" + i + "\nh\0");
      }
      assertCosts(pickle.op("utq\1").repeat("h\0h\1R", 1000).op("."));
    }

    @Test
    void aLongShapeOfManyTensors() {
      Pickle pickle = pickle("ctorch._utils\n_rebuild_tensor\nq\0");
      pickle.op("((Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nK\1tQK\0");
      pickle.op("(").repeat("K\1", 64).op("tq\2h\2tq\1");
      assertCosts(pickle.repeat("h\0h\1R", 10_000).op("."));
    }

    private void assertCosts(Pickle pickle) {
      PickleBudget budget = new PickleBudget("test", 100_000);
      PickleInput input = PickleInput.of(pickle.bytes(), "test");
      assertEquals(
          "the pickle holds more values than the memory can take: test;"
              + " give the process more memory if you trust the file",
          assertThrows(
                  ReweaveException.class,
                  () -> new Unpickler(input, new TorchGlobals(budget), budget).load())
              .getMessage());
    }
  }

  @Nested
  class Tensors {
    static List<TensorValue> views() {
      long far = Long.MAX_VALUE;
      return List.of(
          view(2, 1, Shape.of(2), 1),
          view(2, 0, Shape.of(2), 2),
          view(2, 0, Shape.of(3), 1),
          view(2, 2, Shape.of(1), 1),
          view(2, far, Shape.of(1), 1),
          view(2, 0, Shape.of(2), -1),
          view(2, 0, Shape.of(2), far),
          view(2, 1, Shape.of(2), far),
          view(2, 0, Shape.of(2), Long.MIN_VALUE));
    }

    private static TensorValue view(long elements, long offset, Shape shape, long stride) {
      return new TensorValue("0", "FloatStorage", elements, offset, shape, List.of(stride));
    }

    @ParameterizedTest
    @MethodSource("views")
    void leaveTheirStorage(TensorValue view) throws IOException {
      TorchFile file = file(PickleWriter.pickle(view));
      ReweaveException e =
          assertThrows(ReweaveException.class, () -> file.layout(file.root().tensor()));
      assertTrue(e.problem().startsWith("a tensor does not lie in its storage: a view of shape "));
      assertEquals(PLACE + " storage 0", e.place());
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = {
          "3 | sizes do not add up: the pickle states 3 elements of float32 and the storage has 8"
              + " bytes",
          "4611686018427387904 | sizes do not add up: the pickle states 4611686018427387904"
              + " elements of float32 and the storage has 8 bytes",
        })
    void stateOtherStorages(long elements, String problem) throws IOException {
      TorchFile file = file(PickleWriter.pickle(view(elements, 0, Shape.of(1), 1)));
      assertEquals(
          problem,
          assertThrows(ReweaveException.class, () -> file.layout(file.root().tensor())).problem());
      assertEquals(problem, assertThrows(ReweaveException.class, file::storages).problem());
    }

    @Test
    void nameStoragesThatAreNotThere() throws IOException {
      TorchFile file =
          file(
              PickleWriter.pickle(
                  new TensorValue("../\u001b", "FloatStorage", 2, 0, Shape.of(2), List.of(1L))));
      assertEquals(
          "a storage is missing: "
              + PLACE
              + " entry model/data.pkl storage ../\\u001b;"
              + " the file is damaged: copy it again from its source",
          assertThrows(ReweaveException.class, () -> file.layout(file.root().tensor()))
              .getMessage());
    }

    @Test
    void nameFarMoreThanTheFileHolds() throws IOException {
      long petabytes = 1L << 50;
      TorchFile file = file(PickleWriter.pickle(view(2, 0, Shape.of(petabytes), 0)));
      assertEquals(
          "tensors repeat their elements: 4503599627370488 bytes more than the file holds of them: "
              + PLACE
              + " storage 0; save the tensors as they are, without expand() and as_strided()",
          assertThrows(ReweaveException.class, () -> file.layout(file.root().tensor()))
              .getMessage());
    }

    /** The same view under several names is one tensor with several names. */
    @Test
    void nameMoreThanTheFileHoldsTogether() throws IOException {
      TensorValue large = view(2, 0, Shape.of(1 << 27), 0);
      TensorValue other = view(2, 1, Shape.of(1 << 27), 0);
      TensorValue half = view(2, 0, Shape.of(1 << 26), 0);
      TorchFile file = file(PickleWriter.pickle(List.of(large, large, large, other, half)));
      List<TorchValue> tensors = file.root().items();
      for (TorchValue tensor : tensors.subList(0, 4)) {
        assertEquals(1 << 27, file.layout(tensor.tensor()).elements());
      }
      assertTrue(
          assertThrows(ReweaveException.class, () -> file.layout(tensors.get(4).tensor()))
              .problem()
              .startsWith("tensors repeat their elements: 1342177272 bytes more "));
    }

    @Test
    void withoutElementsMayHaveAnyShape() throws IOException {
      TorchFile file = file(PickleWriter.pickle(view(2, 0, Shape.of(0), Long.MAX_VALUE)));
      assertEquals(0, file.layout(file.root().tensor()).elements());
    }
  }
}
