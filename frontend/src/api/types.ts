/** The answers of the server, as its OpenAPI document describes them. */
export interface Health {
  status: string
  version: string
  model: { name: string; tasks: string[] } | null
  archive: { path: string; pictures: number } | null
  page: boolean
}

export interface Session {
  name: string | null
  role: 'viewer' | 'annotator' | 'admin' | null
  needs_token: boolean
}

export interface Model {
  name: string
  tasks: { name: string; classes: string[]; multi_label: boolean }[]
  threshold: number | null
  sha: string
  /** Kinds of maps that can be laid over a picture. */
  explanations: ('heat-map' | 'attention')[]
}

export interface Upload {
  key: string | null
  name: string
  status: 'ok' | 'error'
  error: string
  width: number | null
  height: number | null
  dtype: string | null
  bytes: number
}

export interface Picture {
  key: string
  name: string
  path: string
  width: number
  height: number
  dtype: string
  metadata: { name: string; value: string | number; unit: string; origin: string }[]
  pixel_size_nm: { x: number; y: number } | null
  pixel_size_origin: string | null
  warnings: string[]
  prediction: Prediction | null
  annotations: { id: number; task: string; label: string | null; annotator: string; time: string }[]
}

export interface TaskPrediction {
  task: string
  best: string
  answer: string | null
  confidence: number
  set: string[]
  classes: { name: string; p: number }[]
}

export interface Prediction {
  row: Record<string, unknown>
  tasks: TaskPrediction[]
  novelty: number | null
  /** False while the picture's own scale bar has still to be read; asking again without `quick` gives the last word. */
  is_final: boolean
  seconds: number
}

/** A person's word on the scale; null took it back. */
export interface SetScale {
  pixel_size_nm: number | null
  annotator: string
  time: string
}

export interface Scale {
  pixel_size_nm: { x: number; y: number } | null
  origin: string | null
  evidence: { source: string; value_nm: number; detail: string }[]
  conflicts: string[]
  scale_bar: { value_nm: number; x0: number; x1: number; y: number } | null
  information_bar: { top: number; height: number; side: string } | null
  set_by: SetScale | null
  history: SetScale[]
  kept: 'archive' | 'session'
}

export type Row = Record<string, string | number | boolean | null>

export interface Objects {
  outlines: [number, number][][]
  objects: Row[]
  histogram: { edges: number[]; counts: number[]; unit: string; quantity: string } | null
  summary: Row
  n_left_out: number
}

export interface Hit {
  key: string
  name: string
  path: string
  score: number | null
  width: number | null
  height: number | null
  pixel_size_nm: number | null
  classes: Record<string, { best: string; confidence: number | null }>
  objects: number | null
  median_diameter_nm: number | null
  missing: boolean
}

export interface Found {
  total: number
  seconds: number
  hits: Hit[]
}

export interface Facets {
  tasks: Record<string, Record<string, number>>
  ranges: Record<string, [number, number] | null | undefined>
  makers: Record<string, number>
  folders: Record<string, number>
  total: number
}

export interface MapOfPictures {
  keys: string[]
  x: number[]
  y: number[]
  class: (string | null)[]
}

export interface Tiles {
  width: number
  height: number
  tile_size: number
  overlap: number
  levels: number
  low: number
  high: number
  minimum: number
  maximum: number
  histogram: number[]
}

export interface ClassDefinition {
  name: string
  definition: string
  examples: string[]
}

export interface AnnotationTask {
  name: string
  classes: ClassDefinition[]
  multi_label: boolean
}

export interface TaskChange {
  task: string
  change: 'add' | 'rename' | 'merge' | 'split' | 'define' | 'several'
  name: string
  to?: string[]
  definition?: string
  examples?: string[]
  multi_label?: boolean
}

export interface Answered {
  id: number
  guess: TaskPrediction | null
}

export interface Agreement {
  pairs: { a: string; b: string; n: number; kappa: number | null; ci95: [number, number] | null }[]
  fleiss: number | null
  per_class: Record<string, number | null>
}

export interface Disagreement {
  key: string
  task: string
  votes: { annotator: string; class: string | null }[]
}

export type JobKind = 'train' | 'predict' | 'measure'
export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

export interface JobMetrics {
  accuracy: number
  accuracy_ci95: [number, number] | null
  majority_accuracy: number | null
  balanced_accuracy: number | null
  macro_f1: number | null
  n: number
}

export interface Job {
  id: string
  kind: JobKind
  name: string
  state: JobState
  options: Record<string, string | number | boolean | string[]>
  command: string
  created: string
  started: string | null
  ended: string | null
  progress: number | null
  error: string
  metrics: Record<string, JobMetrics>
  files: string[]
}

export interface JobHistory {
  columns: Record<string, (number | null)[]>
}

export interface Confusion {
  task: string
  classes: string[]
  matrix: number[][]
  cells: { true: string; predicted: string; n: number; paths: string[]; keys: string[] }[]
}

/** What a watched source tells of each picture. */
export interface LiveEvent {
  frame: number
  time: string
  name: string
  latency_ms: number
  dropped: number
  fps: number
  prediction: Prediction | null
  error: string | null
  /** A sentence where the target has come into view. */
  alert: string | null
  /** Where in a large picture the target lies. */
  tiles: { rows: number; columns: number; p: number[][] } | null
  /** The picture that was kept because it showed the target. */
  pinned: { key: string; name: string } | null
}

export interface Watch {
  id: string
  name: string
  find: string | null
}
