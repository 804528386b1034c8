"""GloVe (Pennington et al. 2014) by alternating least squares.

To read it: `config` has the hyper-parameters, `reference` the equations, pair by pair; `layout` arranges
the counts into dense tiles and sparse groups; `kernel` solves for a block of rows in TensorFlow; `balance`
settles what the cost leaves open; `held_out` keeps pairs for validation; `trainer` sweeps over both tables.
"""
