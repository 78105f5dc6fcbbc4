// A network in stages, the columns of its picture.

// A stage is a layer with weights and what follows it up to the next one: its values are those of its last layer.
export function stagesOf(program) {
  const stages = []
  program.layers.forEach((layer, index) => {
    if (layer.kind === "convolution" || layer.kind === "linear") stages.push({ first: index, last: index })
    else if (stages.length) stages[stages.length - 1].last = index
  })
  for (const stage of stages) stage.shape = program.layers[stage.last].outputs
  return stages
}
