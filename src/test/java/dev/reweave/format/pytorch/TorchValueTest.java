package dev.reweave.format.pytorch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.reweave.common.ReweaveException;
import dev.reweave.tensor.DType;
import dev.reweave.tensor.Shape;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What values say they are, what they give, and how they refuse the rest. */
class TorchValueTest {
  private static final String REMEDY =
      "check that the file is what its name says, and that its framework's version is supported";

  /** One entry of each kind, with keys of each kind that have a name. */
  private static final String DICT =
      "}(Vnone\nNVyes\nI01\nVno\nI00\nVnumber\nK\7Vreal\nF2.5\nVtext\nVabc\nVbytes\nC\1a"
          + "Vlist\n(K\1K\2lVtuple\n(K\3tVset\n\u008f"
          + "Vsize\nctorch\nSize\n(K\2K\3t\u0085R"
          + "Vtype\nctorch\nbfloat16\n"
          + "Vclass\ncos\nsystem\n"
          + "Vobject\ncm\nC\n)R}Va\nK\5sb"
          + "Venum\ncm\nE\nK\2\u0085R"
          + "Vstorage\n(Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nK\14tQ"
          + "Vtensor\nctorch._utils\n_rebuild_tensor\n"
          + "((Vstorage\nctorch\nFloatStorage\nV0\nVcpu\nK\14tQK\1(K\2K\3t(K\3K\1ttR"
          + "K\11Vnine\nI01\nVtruth\nF0.5\nVhalf\n)Vempty\nu.";

  private static TorchValue load(String pickle) throws IOException {
    return PickleFile.read(new BytesAccess(new Pickle().op(pickle).bytes()));
  }

  private static TorchValue dict() throws IOException {
    return load(DICT);
  }

  private static void refused(
      String problem, String path, TorchValue value, Function<TorchValue, ?> question) {
    ReweaveException e = assertThrows(ReweaveException.class, () -> question.apply(value));
    assertEquals(problem, e.problem());
    assertEquals("memory:/file.pt" + (path.isEmpty() ? "" : " at " + path), e.place());
    assertEquals(REMEDY, e.remedy());
  }

  private static long count(TorchValue dict, Function<TorchValue, Boolean> kind, String... names) {
    List<String> found =
        dict.entries().stream()
            .filter(entry -> kind.apply(entry.getValue()))
            .map(Map.Entry::getKey)
            .toList();
    assertEquals(List.of(names), found);
    return found.size();
  }

  @Test
  void valuesKnowTheirKinds() throws IOException {
    TorchValue dict = dict();

    assertTrue(dict.isDict());
    assertFalse(dict.isSequence());
    count(dict, TorchValue::isNone, "none");
    count(dict, TorchValue::isTruth, "yes", "no");
    count(dict, TorchValue::isInteger, "number", "enum");
    count(dict, TorchValue::isText, "text", "9", "True", "0.5", "a tuple");
    count(dict, TorchValue::isSequence, "list", "tuple", "set", "size");
    count(dict, TorchValue::isTensor, "tensor");
    count(dict, TorchValue::isDict);
  }

  @Test
  void valuesGiveWhatTheyAre() throws IOException {
    TorchValue dict = dict();

    assertTrue(dict.at("yes").truth());
    assertFalse(dict.at("no").truth());
    assertEquals(7, dict.at("number").integer());
    assertEquals(2, dict.at("enum").integer());
    assertEquals(2.5, dict.at("real").real());
    assertEquals(7.0, dict.at("number").real());
    assertEquals("abc", dict.at("text").text());
    assertEquals(DType.BF16, dict.at("type").dtype());
    assertEquals(Shape.of(2, 3), dict.at("size").shape());
    assertEquals(Shape.of(1, 2), dict.at("list").shape());
    assertEquals(Shape.of(2, 3), dict.at("tensor").tensor().shape());
    assertEquals(6, dict.at("tensor").tensor().elements());
    assertEquals(1, dict.at("tensor").tensor().offset());
    assertEquals(2, dict.at("list").items().get(1).integer());
    assertEquals("list[1]", dict.at("list").items().get(1).path());
    assertEquals(5, dict.at("object").attribute("a").orElseThrow().integer());
    assertEquals("object.a", dict.at("object").attribute("a").orElseThrow().path());
    assertEquals(Optional.empty(), dict.at("object").attribute("b"));
    assertEquals(Optional.empty(), dict.at("text").attribute("a"));
    assertEquals(5, dict.at("object").state().orElseThrow().at("a").integer());
    assertEquals("object's state.a", dict.at("object").state().orElseThrow().at("a").path());
    assertTrue(dict.at("text").state().isEmpty());
    assertTrue(dict.at("enum").state().orElseThrow().isNone());
  }

  @Test
  void keysAreFoundByTheirText() throws IOException {
    TorchValue dict = dict();

    assertEquals("nine", dict.at("9").text());
    assertEquals("dict", load("}(Va b\nVdict\nu.").find("a b").orElseThrow().text());
    assertEquals("['a b']", load("}(Va b\nVdict\nu.").at("a b").path());
    assertEquals(Optional.empty(), dict.find("none"));
    assertEquals(Optional.empty(), dict.find("missing"));
    assertEquals(Optional.empty(), dict.at("text").find("a"));
    List<Map.Entry<TorchValue, TorchValue>> pairs = dict.pairs();
    assertEquals(dict.entries().size(), pairs.size());
    assertEquals("none", pairs.get(0).getKey().text());
    assertEquals("'s key none", pairs.get(0).getKey().path());
    assertTrue(pairs.get(0).getValue().isNone());
    assertTrue(pairs.get(pairs.size() - 1).getKey().isSequence());
    assertEquals("['a tuple']", pairs.get(pairs.size() - 1).getValue().path());
  }

  @Test
  void subclassesHoldTheirItems() throws IOException {
    TorchValue dict = load("cm\nD\n)R(Va\nK\1u.");
    TorchValue list = load("cm\nL\n)R(K\1K\2e.");

    assertEquals(1, dict.at("a").integer());
    assertTrue(dict.isDict() && !dict.isSequence());
    assertEquals(2, list.items().size());
    assertTrue(list.isSequence() && !list.isDict());
  }

  @Test
  void whatIsNotThereIsToldWithItsPlace() throws IOException {
    TorchValue dict = dict();

    refused("the dict lacks 'missing'", "", dict, d -> d.at("missing"));
    refused("the dict has None at 'none'", "", dict, d -> d.at("none"));
    refused("expected a dict with 'a' but found text", "text", dict.at("text"), v -> v.at("a"));
    refused("expected a dict but found a list", "list", dict.at("list"), TorchValue::entries);
    refused("expected a dict but found a tuple", "tuple", dict.at("tuple"), TorchValue::pairs);
    refused("expected a list but found a dict", "", dict, TorchValue::items);
  }

  @Test
  void whatIsOfAnotherKindIsNamed() throws IOException {
    TorchValue dict = dict();
    Map<String, String> kinds =
        Map.ofEntries(
            Map.entry("yes", "True or False"),
            Map.entry("number", "a number"),
            Map.entry("real", "a number"),
            Map.entry("bytes", "bytes"),
            Map.entry("list", "a list"),
            Map.entry("tuple", "a tuple"),
            Map.entry("set", "a set"),
            Map.entry("size", "a torch.Size"),
            Map.entry("class", "the class or function os.system"),
            Map.entry("object", "a value of m.C"),
            Map.entry("storage", "a storage"),
            Map.entry("tensor", "a tensor of shape [2, 3]"));

    kinds.forEach(
        (key, kind) ->
            refused("expected text but found " + kind, key, dict.at(key), TorchValue::text));
    TorchValue none = dict.entries().get(0).getValue();
    refused("expected text but found None", "none", none, TorchValue::text);
    refused("expected text but found a dict", "", dict, TorchValue::text);
    refused("expected text but found an object", "", load("(NK\1o."), TorchValue::text);
  }

  @Test
  void whatCannotBeGivenIsRefused() throws IOException {
    TorchValue text = dict().at("text");

    refused("expected an integer of 64 bits but found text", "text", text, TorchValue::integer);
    refused("expected a number but found text", "text", text, TorchValue::real);
    refused("expected True or False but found text", "text", text, TorchValue::truth);
    refused(
        "expected a tensor with plain elements but found text", "text", text, TorchValue::tensor);
    refused("expected a shape but found text", "text", text, TorchValue::shape);
    refused("expected a torch.dtype but found text", "text", text, TorchValue::dtype);
    refused(
        "expected a torch.dtype but found the class or function os.system",
        "class",
        dict().at("class"),
        TorchValue::dtype);
    ReweaveException quantized =
        assertThrows(ReweaveException.class, () -> load("ctorch\nqint8\n.").dtype());
    assertEquals("elements of type torch.qint8, which is not read", quantized.problem());
    assertEquals(TorchValue.AS_PLAIN, quantized.remedy());
    ReweaveException negative =
        assertThrows(ReweaveException.class, () -> load("(K\1I-2\nl.").shape());
    assertEquals(
        "a shape is impossible: memory:/file.pt; negative dimension in shape [1, -2]",
        negative.getMessage());
  }
}
