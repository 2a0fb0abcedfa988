package dev.reweave.target.mapping;

import dev.reweave.common.BoundedMatch;
import dev.reweave.common.JsonReader;
import dev.reweave.common.ReweaveException;
import java.util.List;
import java.util.Set;
import java.util.regex.PatternSyntaxException;

/** What is wrong with a mapping file, as it is written; each names the object of the file. */
final class MappingFileFailures {
  private MappingFileFailures() {}

  /** The mapping file is not written as mapping files are. */
  private static ReweaveException broken(String problem, String place) {
    return ReweaveException.usage(problem, place, "correct the mapping file");
  }

  static ReweaveException tooLarge(int most, String place) {
    return broken("a mapping of more than " + most + " bytes", place);
  }

  /** The mapping file is no JSON. */
  static ReweaveException notJson(JsonReader.Broken cause, String place) {
    return new ReweaveException(
        ReweaveException.Kind.USAGE,
        cause.problem(),
        cause.at(place),
        "correct the mapping file",
        cause);
  }

  static ReweaveException notObject(String place) {
    return broken("not a JSON object", place);
  }

  static ReweaveException unknownMember(String member, String place) {
    return broken("unknown member '" + member + "'", place);
  }

  static ReweaveException noMember(String member, String place) {
    return broken("no '" + member + "'", place);
  }

  static ReweaveException notText(String member, String place) {
    return broken("'" + member + "' is not a text of at least one character", place);
  }

  static ReweaveException notNumber(String member, long least, String place) {
    return broken("'" + member + "' is not a whole number of at least " + least, place);
  }

  static ReweaveException dimensionTooLarge(String place) {
    return broken("'dim' is too large", place);
  }

  static ReweaveException notTable(String member, String place) {
    return broken("'" + member + "' is not an object with at least one member", place);
  }

  static ReweaveException noAmount(String text, String place) {
    return broken(
        "'" + text + "' is no number, no name of one in 'values', and no quotient of those", place);
  }

  static ReweaveException severalRests(String member, String place) {
    return broken("'" + member + "' has \"*\" more than once", place);
  }

  static ReweaveException noSuchValue(String name, String place) {
    return broken("'values' does not say what '" + name + "' is", place);
  }

  static ReweaveException valueOfNothing(String place) {
    return broken("neither 'checkpoint' nor 'base'", place);
  }

  static ReweaveException unknownKindOfValue(String place) {
    return broken("'kind' is neither 'same' nor 'room'", place);
  }

  static ReweaveException notAnOrder(int count, String place) {
    return broken("'order' has not each of 0 to " + (count - 1) + " once", place);
  }

  static ReweaveException notTableOfNumbers(String member, String place) {
    return broken("'" + member + "' is not a list of lists of numbers", place);
  }

  static ReweaveException notList(String member, String place) {
    return broken("'" + member + "' is not a list of at least one element", place);
  }

  static ReweaveException notScalars(String member, String place) {
    return broken("'" + member + "' has lists or objects in it", place);
  }

  static ReweaveException unknownForm(String place) {
    return broken("'as' is not \"real\"", place);
  }

  static ReweaveException notTableOfTexts(String member, String place) {
    return broken("'" + member + "' is not a table of texts by group", place);
  }

  static ReweaveException notFileName(String member, String place) {
    return broken("'" + member + "' is not a plain file name", place);
  }

  static ReweaveException notRegex(String regex, PatternSyntaxException cause, String place) {
    return broken(
        "'"
            + BoundedMatch.shown(regex)
            + "' is not a regular expression: "
            + cause.getDescription(),
        place);
  }

  static ReweaveException noAction(Set<String> actions, String place) {
    return broken("no action: none of " + actions.stream().sorted().toList(), place);
  }

  static ReweaveException severalActions(List<String> actions, String place) {
    return broken("more than one action: " + actions, place);
  }

  static ReweaveException both(String one, String other, String place) {
    return broken("both '" + one + "' and '" + other + "'", place);
  }

  static ReweaveException neither(String one, String other, String place) {
    return broken("neither '" + one + "' nor '" + other + "'", place);
  }

  static ReweaveException notOneOf(List<String> members, String place) {
    return broken("not one of '" + String.join("', '", members) + "'", place);
  }

  static ReweaveException noMeaningWithout(String member, String other, String place) {
    return broken("'" + member + "' has no meaning without '" + other + "'", place);
  }

  static ReweaveException noMeaningBeside(String member, String other, String place) {
    return broken("'" + member + "' has no meaning beside '" + other + "'", place);
  }

  static ReweaveException translateWithoutMatch(String place) {
    return broken("'translate' without 'match'", place);
  }

  static ReweaveException translateUnused(String group, String place) {
    return broken("'translate' is about a group '" + group + "' that no name refers to", place);
  }

  static ReweaveException translateOfNoGroup(String group, String place) {
    return broken("'translate' is about a group '" + group + "' that there is not", place);
  }

  static ReweaveException requireOfNoGroup(String place) {
    return broken("'require' refers to a group without 'match' or 'prefix'", place);
  }

  static ReweaveException noSuchGroup(String name, String reference, String place) {
    return broken(
        "'" + name + "' refers to a group that the pattern does not have: " + reference, place);
  }

  static ReweaveException unknownKind(String place) {
    return broken("'kind' is neither \"replicated\" nor \"averaged\"", place);
  }

  static ReweaveException partTwiceInOrder(String place) {
    return broken("a part is twice in 'order'", place);
  }

  static ReweaveException partsWithoutTake(String place) {
    return broken("'parts' is for an 'into' that says what to take", place);
  }

  static ReweaveException groupCalledAsNumber(String place) {
    return broken("a group has the name of the part's number: " + Action.Unstack.INDEX, place);
  }

  static ReweaveException nameWithoutNumber(String place) {
    return broken("a name without the part's number: ${" + Action.Unstack.INDEX + "}", place);
  }

  static ReweaveException sizesForNames(int sizes, int names, String place) {
    return broken(sizes + " sizes for " + names + " names", place);
  }

  static ReweaveException sizesTooLarge(String place) {
    return broken("'sizes' are too large", place);
  }

  static ReweaveException sizesWithTake(String place) {
    return broken("'sizes' has no meaning where 'into' says what to take", place);
  }

  static ReweaveException noSuchPart(long part, long parts, String place) {
    return broken("part " + part + " of parts 0 to " + (parts - 1), place);
  }

  static ReweaveException partTakenTwice(long part, String place) {
    return broken("part " + part + " is taken twice", place);
  }

  static ReweaveException partsNotTaken(long parts, int taken, String place) {
    return broken("of " + parts + " parts, only " + taken + " are taken", place);
  }
}
