import { faultOf, ApiError } from './request'
import type { Upload } from './types'

/** Uploads one file and tells how much of it has gone (0–1). `fetch` can't tell that, so this is an XMLHttpRequest. */
export function upload(file: File, onProgress: (part: number) => void, signal?: AbortSignal): Promise<Upload> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const form = new FormData()
    form.append('files', file, file.name)
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total)
    request.onload = () => {
      if (request.status < 200 || request.status >= 300) return reject(faultOf(request.status, request.responseText))
      const first = (JSON.parse(request.responseText) as Upload[])[0]
      if (first) resolve(first)
      else reject(new ApiError(`${file.name}: the server kept no picture of it. Try again.`, request.status))
    }
    request.onerror = () => reject(new ApiError(`${file.name} did not reach the server. Is \`morphoscope serve\` still running?`, 0))
    request.onabort = () => reject(new DOMException('stopped', 'AbortError'))
    signal?.addEventListener('abort', () => request.abort())
    request.open('POST', '/api/uploads')
    request.send(form)
  })
}
