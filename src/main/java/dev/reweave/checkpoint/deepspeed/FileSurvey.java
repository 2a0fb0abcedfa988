package dev.reweave.checkpoint.deepspeed;

import dev.reweave.checkpoint.Caution;
import dev.reweave.checkpoint.LeftTensors;
import dev.reweave.checkpoint.TestedVersions;
import dev.reweave.checkpoint.TorchProbe;
import dev.reweave.format.pytorch.TorchValue;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Looks through files of DeepSpeed, each kind in its way, for what is not known. */
enum FileSurvey {
  MODEL_STATES {
    @Override
    void look(TorchValue root, List<Caution> cautions, List<String> clientState) {
      // Made of all parameters; most files have no key that would need it.
      Optional<TopLevelKeys> rule = Optional.empty();
      for (Map.Entry<String, TorchValue> entry : root.entries()) {
        String key = entry.getKey();
        if (KnownKeys.MODEL_STATES.knows(key) || entry.getValue().isNone()) {
          continue;
        }
        TopLevelKeys known = rule.orElseGet(() -> new TopLevelKeys(root));
        rule = Optional.of(known);
        if (known.isOfLayout(key, entry.getValue())) {
          cautions.add(KnownKeys.MODEL_STATES.caution(key, root.place()));
        } else if (clientState.size() < KnownKeys.MOST) {
          clientState.add(KnownKeys.shown(key));
        }
      }
      unknown(KnownKeys.UNIVERSAL_INFO, root.find(INFO), cautions);
      unknown(KnownKeys.PARALLEL_DIMENSIONS, root.find("checkpoint_parallel_dimensions"), cautions);
      unknown(
          KnownKeys.ZERO_OPTIMIZATION,
          root.find("ds_config").flatMap(config -> config.find("zero_optimization")),
          cautions);
      root
          .find("ds_autoep_layers")
          .filter(TorchValue::isSequence)
          .map(TorchValue::items)
          .orElse(List.of())
          .stream()
          .limit(MOST_LAYERS)
          .forEach(layer -> unknown(KnownKeys.AUTOEP_LAYER, Optional.of(layer), cautions));
    }
  },
  OPTIMIZER_STATES {
    @Override
    void look(TorchValue root, List<Caution> cautions, List<String> clientState) {
      unknown(KnownKeys.OPTIMIZER_FILE, Optional.of(root), cautions);
      Optional<TorchValue> state = root.find("optimizer_state_dict");
      unknown(KnownKeys.OPTIMIZER_STATE, state, cautions);
      unknown(KnownKeys.UNIVERSAL_INFO, state.flatMap(s -> s.find(INFO)), cautions);
    }
  },
  /** Of a layer or an expert: every key is the name of a tensor. */
  STATE_DICT {
    @Override
    void look(TorchValue root, List<Caution> cautions, List<String> clientState) {}
  },
  /** {@code fp32.pt} of a universal checkpoint. */
  PARAMETER {
    @Override
    void look(TorchValue root, List<Caution> cautions, List<String> clientState) {
      unknown(KnownKeys.UNIVERSAL_PARAMETER, Optional.of(root), cautions);
    }
  };

  /** All layers have the same keys. */
  private static final int MOST_LAYERS = 20;

  private static final String INFO = "universal_checkpoint_info";

  /** What suits a kind of rank's file. */
  static FileSurvey of(RankFile.Kind kind) {
    return switch (kind) {
      case MODEL, PARTITIONED_MODEL -> MODEL_STATES;
      case OPTIMIZER -> OPTIMIZER_STATES;
      case OFFLOADED, LAYER, EXPERT, EXPERT_OPTIMIZER, UNKNOWN -> STATE_DICT;
    };
  }

  /** The same probe, with a survey of each file that it could read. */
  <T extends Serializable> TorchProbe<Surveyed<T>> with(TorchProbe<T> probe) {
    return file -> {
      T facts = probe.read(file);
      return seen(FileTally.located(facts), file.root()).of(facts, file.place());
    };
  }

  /**
   * The same of a probe that many ranks' files answer alike. Their pickle is looked at once, if it
   * is the same.
   */
  <P, T extends Serializable> TorchProbe<Surveyed<T>> with(PickleProbe<P, ? extends T> probe) {
    return file -> {
      Shared shared =
          file.once(
              List.of(this, probe.told()),
              Shared.class,
              root -> new Shared(probe.told(root), seen(FileTally.OF_OTHER_FILE, root)));
      T facts = probe.locate(probe.told().cast(shared.told()), file);
      return shared.seen().of(facts, file.place());
    };
  }

  /** What files with one pickle have in common. */
  private record Shared(Object told, Seen seen) {}

  /** What a survey finds, and in which file. */
  private record Seen(
      String place, List<Caution> cautions, List<String> clientState, List<LeftTensors> left) {
    <T extends Serializable> Surveyed<T> of(T facts, String file) {
      return new Surveyed<>(
          facts,
          cautions.stream().map(caution -> caution.movedTo(place, file)).toList(),
          clientState,
          left,
          file);
    }
  }

  private Seen seen(long located, TorchValue root) {
    List<Caution> cautions = new ArrayList<>();
    List<String> clientState = new ArrayList<>();
    if (root.isDict()) {
      look(root, cautions, clientState);
      root.find("ds_version")
          .filter(TorchValue::isText)
          .flatMap(v -> TestedVersions.deepSpeed(v.text(), root.place()))
          .ifPresent(cautions::add);
    }
    List<LeftTensors> left = root.isDict() ? FileTally.of(this, located, root) : List.of();
    return new Seen(root.place(), List.copyOf(cautions), List.copyOf(clientState), left);
  }

  abstract void look(TorchValue root, List<Caution> cautions, List<String> clientState);

  private static void unknown(KnownKeys known, Optional<TorchValue> dict, List<Caution> cautions) {
    dict.filter(TorchValue::isDict).ifPresent(d -> cautions.addAll(known.unknown(d)));
  }
}
