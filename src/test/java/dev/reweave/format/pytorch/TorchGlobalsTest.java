package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the globals of a pickle stand for, and which stand for nothing. */
class TorchGlobalsTest {
  private static final String STORAGE = "(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nK\14tQ";
  private static final String VIEW = STORAGE + "K\1(K\2K\3t(K\3K\1t";
  private static final String V2 = "ctorch._utils\n_rebuild_tensor_v2\n(" + VIEW + "I00\n}";

  private final PickleBudget budget = new PickleBudget("test");
  private final TorchGlobals globals = new TorchGlobals(budget);

  private Object load(String latin1) throws IOException {
    byte[] pickle = new Pickle().op(latin1 + ".").bytes();
    return new Unpickler(PickleInput.of(pickle, "test"), globals, budget).load();
  }

  private String refused(String pickle) {
    String problem = assertThrows(ReweaveException.class, () -> load(pickle)).problem();
    return problem.substring(0, problem.lastIndexOf(" (byte "));
  }

  private static TorchTensor tensor(Map<String, String> labels) {
    return new TorchTensor("0", DType.F32, 12, 1, Shape.of(2, 3), List.of(3L, 1L), labels);
  }

  @Test
  void tensorsAreViewsOfTheirStorages() throws IOException {
    assertEquals(tensor(Map.of()), load("ctorch._utils\n_rebuild_tensor\n(" + VIEW + "tR"));
    assertEquals(tensor(Map.of()), load(V2 + "tR"));
    assertEquals(tensor(Map.of()), load(V2 + "}tR"));
    assertEquals(
        tensor(Map.of()), load("ctorch._utils\n_rebuild_parameter\n(" + V2 + "tRI00\n}tR"));
    assertEquals(Set.of("0"), globals.storages().keySet());
    assertEquals(Set.of(), globals.calls());
  }

  /** A storage counts bytes where the type of its elements stands beside it. */
  @Test
  void untypedStoragesHaveTheTypeOfTheirTensor() throws IOException {
    String bytes = "(Vstorage\nctorch.storage\nUntypedStorage\nV7\nVcpu\nK\30tQ";
    assertEquals(
        new TorchTensor("7", DType.U16, 12, 1, Shape.of(2, 3), List.of(3L, 1L)),
        load(
            "ctorch._utils\n_rebuild_tensor_v3\n("
                + bytes
                + "K\1(K\2K\3t(K\3K\1tI00\n}ctorch\nuint16\ntR"));
  }

  /** Elements that are to be negated or conjugated do not lie there as they are. */
  @ParameterizedTest
  @ValueSource(strings = {"neg", "conj"})
  void alteredTensorsAreNoTensors(String bit) throws IOException {
    assertInstanceOf(PickleObject.class, load(V2 + "}V" + bit + "\nI01\nstR"));
    assertEquals(tensor(Map.of()), load(V2 + "}V" + bit + "\nI00\nstR"));
    assertEquals(Set.of("torch._utils._rebuild_tensor_v2"), globals.calls());
  }

  @Test
  void textsAmongAttributesAreLabels() throws IOException {
    String made = "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\n";
    String inner = "ctorch\nTensor\n(" + VIEW + "I00\n}t";

    assertEquals(
        tensor(Map.of("ds_id", "a")), load(made + inner + "}(Vds_id\nVa\nVother\nK\1K\2Vb\nutR"));
    assertEquals(tensor(Map.of()), load(made + inner + "NtR"));
    assertEquals(Set.of(), globals.calls());
    assertInstanceOf(PickleObject.class, load(made + inner + "tR"));
    assertEquals(Set.of("torch._tensor._rebuild_from_type_v2"), globals.calls());
  }

  @Test
  void callsThatAreNotUnderstoodAreTold() throws IOException {
    load("cos\nsystem\n(Vls\ntR");
    load("cbuiltins\ndict\n(NtR");
    load("ctorch._utils\n_rebuild_parameter\n(NtR");
    load("ctorch._utils\n_rebuild_parameter\n)R");

    assertEquals(
        Set.of("builtins.dict", "os.system", "torch._utils._rebuild_parameter"), globals.calls());
    assertThrows(UnsupportedOperationException.class, () -> globals.calls().clear());
  }

  @Test
  void containersOfPythonArePlain() throws IOException {
    assertInstanceOf(PickleDict.class, load("cbuiltins\ndict\n)R"));
    assertInstanceOf(PickleDict.class, load("ccollections\ndefaultdict\n(cbuiltins\nlist\ntR"));
    assertArrayEquals(new byte[0], (byte[]) load("cbuiltins\nbytes\n)R"));
    assertInstanceOf(PickleObject.class, load("cbuiltins\nbytes\n(Va\ntR"));
    assertArrayEquals(
        new byte[] {(byte) 0xe9}, (byte[]) load("c_codecs\nencode\n(V\u00e9\nVlatin1\ntR"));
    assertInstanceOf(PickleObject.class, load("c_codecs\nencode\n(Va\nVutf8\ntR"));
    assertInstanceOf(PickleObject.class, load("ccollections\nOrderedDict\n(NtR"));
    PickleSequence set = (PickleSequence) load("cbuiltins\nset\n((K\1K\2ltR");
    assertEquals(PickleSequence.Kind.SET, set.kind());
    assertEquals(List.of(1L, 2L), set.items());
    assertEquals(0, ((PickleSequence) load("ctorch\nSize\n)R")).size());
    assertInstanceOf(PickleObject.class, load("ctorch\nSize\n(NtR"));
  }

  @Test
  void persistentIdsAreStoragesOrUnknown() throws IOException {
    assertEquals("persistent.id", ((PickleObject) load("Va\nQ")).callable().toString());
    assertEquals(2, ((PickleObject) load("(Va\nVb\ntQ")).arguments().size());
    assertEquals("m.C", load("(Vmodule\ncm\nC\nVfile\nVsource\ntQ").toString());
    assertEquals(0, ((PickleObject) load("(Vstorage\ntQ")).arguments().size());
    assertInstanceOf(PickleObject.class, load("(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\ntQ"));
    assertInstanceOf(PickleObject.class, load("(Vstorage\ncmine\nFloatStorage\nV0\nVcpu\nK\1tQ"));
    assertInstanceOf(TorchStorage.class, load(STORAGE));
    assertEquals(Set.of("0"), globals.storages().keySet());
  }

  @Test
  void malformedStoragesAndTensorsAreRefused() {
    assertEquals(
        "the pickle has a malformed storage: the key of a storage is no text",
        refused("(Vstorage\nctorch\nFloatStorage\nK\1Vcpu\nK\1tQ"));
    assertEquals(
        "the pickle has a malformed storage: a number of a tensor or storage is none",
        refused("(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nVa\ntQ"));
    assertEquals(
        "the pickle has a malformed value: a tensor of 5 arguments",
        refused("ctorch._utils\n_rebuild_tensor_v2\n(" + VIEW + "I00\ntR"));
    assertEquals(
        "the pickle has a malformed value: long overflow",
        refused(
            "ctorch._utils\n_rebuild_tensor_v3\n("
                + "(Vstorage\nctorch\nDoubleStorage\nV0\nVcpu\nL9223372036854775807L\ntQ"
                + "K\1(K\2K\3t(K\3K\1tI00\n}ctorch\nfloat32\ntR"));
  }
}
