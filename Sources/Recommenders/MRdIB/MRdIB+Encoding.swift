import Datasets
import Settings
import Tensors

extension MRdIB {
  /// The codes z of one modality, with its divergence and diagnostics added to the loss.
  ///
  /// With ``CodeScale/relative``, s is the root mean square of the means as a constant, and
  /// ℓ̂ = clamp(H μ/s + h), z = μ + s e^{ℓ̂/2} ⊙ ε, and the prior is N(0, s² I): a backbone whose
  /// vectors are a thousand times smaller has the same divergence and the same share of noise.
  ///
  /// - Parameter rows: whose codes are wanted; the divergence is over all items of the batch.
  /// - Returns: z of these items, `[rows.items.count, D]`; the means themselves where nothing is
  ///   drawn.
  func encode(
    on tape: Tape, _ modality: Int, mean: Variable, parameters: [Variable], batch: TripletBatch,
    rows: BatchRows, context: StepContext, into loss: inout Loss, firstTable: Int
  ) -> Variable {
    let name = modalities[modality]
    let share = Double(batch.share)
    let mean = headed(mean, modality, parameters, on: tape)
    let known = absence.known(mean, of: batch.distinctItems, modality, on: tape)
    let (scale, size) = scale(of: known.value)
    loss.statistics["rms.\(name)"] = Double(size) * share
    let coded = rows.items(of: mean, on: tape)
    func cleared(_ codes: Variable) -> Variable {
      absence.clearing(codes, of: rows.items, modality, on: tape)
    }
    guard settings.isStochastic || weights.bottleneck != 0 else { return cleared(coded) }

    let logVariance = logVariance(of: mean, modality, parameters, scale: scale, on: tape)
    // Before the divergence, so that in the backward pass rows are added to a gradient that is
    // there, and none begins with zeros.
    let codedLogVariance =
      settings.isStochastic ? rows.items(of: logVariance, on: tape) : logVariance
    if let average = layout.scaleAverages {
      loss.average(firstTable + average, of: tables[average])[modality, 0] = size * batch.share
    }
    let count = Float(max(1, known.value.count))
    let perItem = settings.reduction == .sum
    let divergence = tape.gaussianDivergence(
      mean: known,
      logVariance: absence.known(logVariance, of: batch.distinctItems, modality, on: tape),
      meanUnit: scale, priorDeviation: priorDeviation(modality, parameters, size: size),
      scale: perItem ? 1 / Float(max(1, known.rows)) : 1 / count)
    loss.terms.append(
      .estimated(
        "kl.\(name)", divergence, weight: weights.bottleneck, share: batch.share
      ).asAuxiliary())
    let perDimension = Double(divergence.scalar) / (perItem ? Double(mean.columns) : 1)
    loss.statistics["kl_per_dimension.\(name)"] = perDimension * share
    guard settings.isStochastic else { return cleared(coded) }

    let noise = tape.matrix(rows: coded.rows, columns: coded.columns)
    self.noise.fill(noise, modality: modality, items: rows.items, context: context)
    let (sample, deviation) = tape.gaussianSample(
      mean: coded, logVariance: codedLogVariance, noise: noise, scale: scale)
    let total = BLAS.absoluteSum(deviation.pointer, count: deviation.count)
    loss.statistics["sigma.\(name)"] = Double(total / Float(max(1, deviation.count))) * share
    return cleared(sample)
  }

  /// The means of the codes: the backbone's vectors, or a linear map of them.
  func headed(
    _ mean: Variable, _ modality: Int, _ parameters: [Variable], on tape: Tape
  ) -> Variable {
    guard let head = layout.heads[modality] else { return mean }
    return tape.add(mean, tape.linear(mean, parameters[head]))
  }

  /// What codes are measured in, and the root mean square of the means.
  func scale(of mean: Matrix) -> (scale: Float, size: Float) {
    let size = rootMeanSquare(mean)
    return (settings.codeScale == .relative ? max(size, 1e-12) : 1, size)
  }

  /// ℓ̂ of some items, `[items, D]`.
  func logVariance(
    of mean: Variable, _ modality: Int, _ parameters: [Variable], scale: Float, on tape: Tape
  ) -> Variable {
    let encoder = layout.encoders[modality]
    return tape.clamp(
      tape.linear(
        mean, parameters[encoder], scale: 1 / scale, bias: parameters[encoder + 1]),
      Float(settings.smallestLogVariance), Float(settings.largestLogVariance))
  }

  /// σ of the prior, in the unit of the codes.
  ///
  /// - Parameter size: the root mean square of the means, for the first step of a running one.
  func priorDeviation(_ modality: Int, _ parameters: [Variable], size: Float) -> Float {
    guard let average = layout.scaleAverages else { return 1 }
    let running = parameters[average].value[modality, 0]
    return max(running > 0 ? running : size, 1e-6)
  }

  private func rootMeanSquare(_ x: Matrix) -> Float {
    (BLAS.dot(x.pointer, x.pointer, count: x.count) / Float(max(1, x.count))).squareRoot()
  }
}
