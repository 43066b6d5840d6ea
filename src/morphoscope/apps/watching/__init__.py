"""Pictures that come one after the other, from a folder, a video, a camera or a network stream, answered as they come.

A source gives arrivals; the relay keeps them or, where only the newest counts, drops them; the watcher answers them; a target
says which of them a person is looking for. To add a source: one file with a class that `source.Source` describes, and one
line in `opening`.
"""
