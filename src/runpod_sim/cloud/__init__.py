"""The cloud: who may rent what, what becomes of pods, what it costs."""
