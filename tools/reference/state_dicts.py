"""test/fixtures/backbones/state-dicts.ndjson.gz: names and shapes of the published networks' tensors, a network a line.

python3 tools/reference/state_dicts.py FOLDER, a folder of lists such as
{"name", "source", "parameters", "total_parameters", "buffers": [...], "frozen": [...], "tied": [[a, b]], "tensors": [[name, shape]]}.
"""
import gzip
import json
import pathlib
import sys

target = pathlib.Path(__file__).resolve().parents[2] / 'test' / 'fixtures' / 'backbones' / 'state-dicts.ndjson.gz'
paths = sorted(pathlib.Path(sys.argv[1]).glob('*.json'))
# The file's name: lists of one network by two versions of a package have the same name within.
lines = [json.dumps({**json.loads(path.read_text()), 'name': path.stem}, separators=(',', ':')) for path in paths]
target.write_bytes(gzip.compress(('\n'.join(lines) + '\n').encode(), mtime=0))
print(f'{len(lines)} networks, {target.stat().st_size} bytes')
