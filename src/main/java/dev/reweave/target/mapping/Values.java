package dev.reweave.target.mapping;

import dev.reweave.common.ReweaveException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/** The numbers of a mapping's rules, as they are for one model. */
final class Values {
  private final Map<String, NamedValue> named;
  private final ModelFacts facts;
  private final String place;
  private final Map<String, OptionalLong> found = new LinkedHashMap<>();

  /**
   * @param named by the name that rules refer to
   * @param place of the mapping, for messages
   */
  Values(Map<String, NamedValue> named, ModelFacts facts, String place) {
    this.named = named;
    this.facts = facts;
    this.place = place;
  }

  /**
   * The number.
   *
   * @throws ReweaveException if it is not known, or trainer and base say different ones
   */
  long of(Amount amount, Rule rule) {
    OptionalLong value = amount.value(this::number);
    if (value.isPresent() && value.getAsLong() > 0) {
      return value.getAsLong();
    }
    for (String name : amount.names()) {
      if (number(name).isEmpty()) {
        throw MappingFailures.unknownValue(name, named.get(name), place);
      }
    }
    throw MappingFailures.notWhole(amount, amount.names(), this::number, rule);
  }

  /** The same; empty where one of its names need not be known, and is not. */
  OptionalLong ifKnown(Amount amount, Rule rule) {
    boolean unknown =
        amount.names().stream()
            .anyMatch(
                name -> named.get(name).kind() == NamedValue.Kind.ROOM && number(name).isEmpty());
    return unknown ? OptionalLong.empty() : OptionalLong.of(of(amount, rule));
  }

  private OptionalLong number(String name) {
    OptionalLong known = found.get(name);
    if (known == null) {
      known = find(name);
      found.put(name, known);
    }
    return known;
  }

  private OptionalLong find(String name) {
    NamedValue value = named.get(name);
    OptionalLong ofTrainer = value.ofTrainer(facts);
    OptionalLong ofBase = value.ofBase(facts);
    if (ofTrainer.isPresent() && ofBase.isPresent()) {
      long least = ofTrainer.getAsLong();
      long given = ofBase.getAsLong();
      if (value.kind() == NamedValue.Kind.ROOM ? given < least : given != least) {
        throw MappingFailures.valuesDiffer(name, value, least, given, place);
      }
    }
    return ofBase.isPresent() ? ofBase : ofTrainer;
  }
}
