package dev.reweave.look.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import dev.reweave.common.PythonVersion;
import dev.reweave.target.base.ConfigJson;
import java.util.HashMap;
import java.util.Map;

/** Compares the versions that configs of one folder state, with each other and with known ones. */
final class VersionExam {
  private static final Map<String, String> KEYS =
      Map.of("_diffusers_version", "diffusers", "transformers_version", "transformers");

  private final Findings findings;
  private final Map<String, String> first = new HashMap<>();
  private final Map<String, String> places = new HashMap<>();

  VersionExam(Findings findings) {
    this.findings = findings;
  }

  void add(String place, JsonNode config) {
    KEYS.forEach(
        (key, library) ->
            ConfigJson.string(config, key)
                .filter(PythonVersion::isVersion)
                .ifPresent(version -> add(library, version, place)));
  }

  private void add(String library, String version, String place) {
    KnownVersions.config(library, version, place).ifPresent(f -> findings.info(f.problem(), place));
    String other = first.putIfAbsent(library, version);
    if (other == null) {
      places.put(library, place);
    } else if (KnownVersions.areFarApart(other, version)) {
      findings.info(
          "written by " + library + " " + version + ", and " + places.get(library) + " by " + other,
          place);
    }
  }
}
