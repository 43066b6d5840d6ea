/** The answers of the server, as its OpenAPI document describes them. */
export interface Health {
  status: string
  version: string
  model: { name: string; tasks: string[] } | null
  archive: { path: string; pictures: number } | null
  page: boolean
  token_needed?: boolean
  role?: 'viewer' | 'annotator' | 'admin' | null
}

export interface Model {
  name: string
  tasks: { name: string; classes: string[]; multi_label: boolean }[]
  threshold: number | null
  sha: string
}

export interface Upload {
  key: string | null
  name: string
  status: 'ok' | 'error'
  error: string | null
  width: number | null
  height: number | null
  dtype: string | null
  bytes: number
}

export interface Picture {
  key: string
  name: string
  path: string | null
  width: number
  height: number
  dtype: string
  metadata: { name: string; value: string | number | null; unit: string | null; origin: string | null }[]
  pixel_size_nm: { x: number; y: number } | null
  pixel_size_origin: string | null
  annotations: { task: string; class: string | null; annotator: string; time: string }[]
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
  seconds: number
}

export interface Scale {
  pixel_size_nm: { x: number; y: number } | null
  origin: string | null
  evidence: { source: string; value_nm: number | null; detail: string }[]
  conflicts: string[]
  scale_bar: { value_nm: number | null; x0: number; x1: number; y: number } | null
  information_bar: { top: number; height: number; side: string } | null
}

export type Row = Record<string, string | number | boolean | null>

export interface Objects {
  outlines: [number, number][][]
  objects: Row[]
  histogram: { edges: number[]; counts: number[]; unit: string }
  summary: Row
}

export interface Hit {
  key: string
  name: string
  path: string
  score: number | null
  width: number
  height: number
  pixel_size_nm: number | null
  classes: Record<string, { best: string; confidence: number }>
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
  ranges: { pixel_size_nm: [number, number] | null; diameter_nm: [number, number] | null }
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
