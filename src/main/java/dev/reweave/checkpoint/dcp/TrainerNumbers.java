package dev.reweave.checkpoint.dcp;

import dev.reweave.common.ReweaveException;
import dev.reweave.format.pytorch.TorchFile;
import dev.reweave.format.pytorch.TorchValue;
import dev.reweave.storage.InputFile;
import dev.reweave.storage.RandomAccess;
import dev.reweave.storage.Stores;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What Megatron-LM stored of the model's form beside the tensors: numbers of its arguments, under
 * its own names ({@code megatron/training/arguments.py}).
 *
 * <p>Megatron-Core 0.16 keeps them in {@code common.pt}; 0.20 in an object of the distributed
 * checkpoint, {@code common_state}. NeMo stores none.
 *
 * @param files beside those of the tensors that tell them
 * @param notes why they are not known, where there should be some
 */
record TrainerNumbers(Map<String, Long> numbers, List<InputFile> files, List<String> notes) {
  private static final String COMMON = "common.pt";
  private static final String OBJECT = "common_state/";
  private static final String HEADS = "num_attention_heads";
  private static final String GROUPS = "num_query_groups";
  private static final String HEAD_SIZE = "kv_channels";

  /** Those that stand for themselves. */
  private static final List<String> PLAIN =
      List.of("num_layers", "hidden_size", HEADS, "ffn_hidden_size", "num_experts", "vocab_size");

  private static final TrainerNumbers NONE = new TrainerNumbers(Map.of(), List.of(), List.of());

  /** Reads them; there need be none. */
  static TrainerNumbers read(Stores stores, DcpFolder folder, DcpMetadata metadata) {
    InputFile common = folder.files().get(COMMON);
    Optional<DcpMetadata.StoredObject> object = metadata.object(OBJECT);
    if (common == null && object.isEmpty()) {
      return NONE;
    }
    InputFile file = common == null ? object.get().file() : common;
    try (RandomAccess access = stores.open(file)) {
      TorchValue root =
          common == null
              ? TorchFile.readPart(access, 0, OBJECT, object.get().start(), object.get().length())
                  .root()
              : TorchFile.read(access, 0).root();
      return new TrainerNumbers(of(root), common == null ? List.of() : List.of(common), List.of());
    } catch (ReweaveException e) {
      e.throwIfOfStore();
      return new TrainerNumbers(
          Map.of(),
          List.of(),
          List.of(
              "the trainer's own arguments are not known: "
                  + e.problem()
                  + " ("
                  + file.uri()
                  + ")"));
    } catch (IOException e) {
      throw Stores.unreadable(file.location(), e);
    }
  }

  /** The numbers of what {@code save_checkpoint} calls {@code args}. */
  static Map<String, Long> of(TorchValue root) {
    // An object of many ranks is stored as a list of what each of them had.
    TorchValue common = root.isSequence() && !root.items().isEmpty() ? root.items().get(0) : root;
    Optional<TorchValue> args = common.isDict() ? common.find("args") : Optional.empty();
    if (args.isEmpty()) {
      return Map.of();
    }
    Map<String, Long> numbers = new TreeMap<>();
    PLAIN.forEach(key -> number(args.get(), key).ifPresent(n -> numbers.put(key, n)));
    groups(args.get(), numbers);
    headSize(args.get(), numbers);
    return numbers;
  }

  /** Without grouped queries the number of groups means nothing, and each head has its own keys. */
  private static void groups(TorchValue args, Map<String, Long> numbers) {
    boolean grouped =
        args.attribute("group_query_attention").filter(TorchValue::isTruth).isEmpty()
            || args.attribute("group_query_attention").get().truth();
    number(args, grouped ? GROUPS : HEADS).ifPresent(n -> numbers.put(GROUPS, n));
  }

  private static void headSize(TorchValue args, Map<String, Long> numbers) {
    Optional<Long> given = number(args, HEAD_SIZE);
    long heads = numbers.getOrDefault(HEADS, 0L);
    long hidden = numbers.getOrDefault("hidden_size", 0L);
    if (given.isPresent()) {
      numbers.put(HEAD_SIZE, given.get());
    } else if (heads > 0 && hidden % heads == 0) {
      numbers.put(HEAD_SIZE, hidden / heads);
    }
  }

  private static Optional<Long> number(TorchValue args, String key) {
    return args.attribute(key).filter(TorchValue::isInteger).map(TorchValue::integer);
  }
}
