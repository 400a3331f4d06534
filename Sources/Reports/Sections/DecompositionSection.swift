internal import Experiments
internal import Recommenders
internal import Runtime

/// What each modality says about held-out choices: alone, uniquely, repeated and combined, with
/// intervals over users.
enum DecompositionSection {
  /// - Parameter reports: of the same data; none leaves the section out.
  static func make(_ given: [DecompositionReport]) -> ReportSection? {
    let order: [RunCodes.Stage] = [.features, .initial, .trained]
    let reports = order.flatMap { stage in given.filter { $0.codes == stage } }
    guard let first = reports.first else { return nil }
    return ReportSection("decomposition", "What each modality says") {
      HTML.paragraph {
        "Information about which item a user took, in nats per choice beyond the popularity of"
          + " items, measured on \(Numbers.count(first.choices)) \(first.split.rawValue)"
          + " interactions of \(Numbers.count(first.users)) users. A uniform guess needs"
          + " \(Numbers.nats(first.uniformNats)) nats, popularity"
          + " \(Numbers.nats(first.popularityNats)). Whiskers are 95 % intervals over resamples of"
          + " users."
      }
      figure(reports)
      if !first.pairs.isEmpty { betweenCodes(reports) }
      HTML.paragraph("note") {
        "“Only combined” is what neither modality says by itself (synergy); “both repeat it” is"
          + " redundant. A part may be below 0: then predictors of both modalities do worse on"
          + " held-out choices than their parts, within the interval."
      }
    }
  }

  private struct Part {
    let name: String
    let estimates: [Estimate?]
  }

  private static func name(_ report: DecompositionReport) -> String {
    switch report.codes {
    case .trained: "after training, epoch \(report.epoch ?? 0)"
    case .initial: "before training"
    case .features: "the features themselves"
    }
  }

  private static func parts(_ reports: [DecompositionReport]) -> [Part] {
    let modalities = reports[0].modalities.map { modality in
      Part(
        name: "\(modality.name) alone",
        estimates: reports.map { report in
          report.modalities.first { $0.name == modality.name }?.alone
        })
    }
    let kinds: [(DecompositionReport.Pair) -> (String, Estimate)] = [
      { ("\($0.first), \($0.second) together", $0.together) },
      { ("only \($0.first) (unique)", $0.uniqueFirst) },
      { ("only \($0.second) (unique)", $0.uniqueSecond) },
      { ("both repeat it (redundant)", $0.redundant) },
      { ("only combined (synergy)", $0.synergistic) },
    ]
    return modalities
      + reports[0].pairs.flatMap { pair in
        kinds.map { kind in
          Part(
            name: kind(pair).0,
            estimates: reports.map { report in
              report.pairs.first { $0.first == pair.first && $0.second == pair.second }
                .map { kind($0).1 }
            })
        }
      }
  }

  private static func figure(_ reports: [DecompositionReport]) -> HTML {
    let parts = parts(reports)
    let chart = IntervalChart(
      xTitle: "nats per choice",
      rows: parts.map { part in
        .init(
          part.name,
          part.estimates.enumerated().compactMap { position, estimate in
            estimate.map {
              .init(
                $0.value, interval: min($0.low, $0.high)...max($0.low, $0.high),
                style: SeriesStyle.of(position))
            }
          })
      }, reference: 0)
    return ChartFigure(
      "Information about choices",
      legend: reports.enumerated().map {
        .init(name($0.element), style: SeriesStyle.of($0.offset), shape: .dot)
      },
      drawing: chart.drawing("Information about choices by part, with 95 % intervals"),
      isWide: true,
      table: HTMLTable(
        "Nats per choice, with 95 % intervals",
        columns: [.text("information")]
          + reports.flatMap { [.number(name($0)), .number("95 % interval")] },
        rows: parts.map { part in
          [part.name]
            + part.estimates.flatMap { estimate in
              estimate.map {
                [Numbers.nats($0.value), "\(Numbers.nats($0.low)) … \(Numbers.nats($0.high))"]
              } ?? ["–", ""]
            }
        })
    ).html
  }

  /// How much the modalities' vectors share, without regard to choices.
  private static func betweenCodes(_ reports: [DecompositionReport]) -> HTML {
    HTMLTable(
      "Information between the modalities’ vectors, nats, without regard to choices",
      columns: [
        .text("vectors"), .number("discriminator"), .number("at most"), .number("Gaussian"),
      ],
      rows: reports.flatMap { report in
        report.pairs.map { pair in
          ["\(pair.first), \(pair.second), \(name(report))"]
            + [pair.codes.discriminator, pair.codes.discriminatorLimit, pair.codes.gaussian]
            .map(Numbers.nats)
        }
      }
    ).html
  }
}
