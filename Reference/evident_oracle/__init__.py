"""Independent reference of the profile `evident.int.v1`, written from docs/spec/arithmetic.md and
docs/spec/model.md alone. It favours clarity over speed and shares no code with the product."""
